import type { Row } from "../model/rows";

/** Heights in CSS pixels. The head stays where it is; what is below scrolls. */
export const RULER = 30;
export const SECTIONS = 22;
export const INTENSITY = 34;
export const HEAD = RULER + SECTIONS + INTENSITY;
export const TITLE = 26;
export const ROW = 24;
export const ROW_TOUCH = 32;

export const MIN_STEP = 2;
export const MAX_STEP = 48;

/** Where things lie below the head, before scrolling. */
export interface Layout {
  partsTitle: number;
  parts: { index: number; top: number }[];
  drumsTitle: number;
  rows: (Row & { top: number })[];
  /** Of parts and of drums alike. */
  rowHeight: number;
  height: number;
}

export function layOut(partIndices: readonly number[], partsOpen: boolean, rows: readonly Row[], rowHeight: number): Layout {
  const hasParts = partIndices.length > 0;
  let top = hasParts ? TITLE : 0;
  const parts = partsOpen ? partIndices.map((index, i) => ({ index, top: top + i * rowHeight })) : [];
  top += parts.length * rowHeight;
  const drumsTitle = top;
  top += TITLE;
  const laid = rows.map((row, i) => ({ ...row, top: top + i * rowHeight }));
  return { partsTitle: 0, parts, drumsTitle, rows: laid, rowHeight, height: top + rows.length * rowHeight + 8 };
}

/** The row at a height below the head, or null. */
export function rowAt(layout: Layout, y: number): (Row & { top: number }) | null {
  const first = layout.rows[0];
  if (!first || y < first.top) return null;
  return layout.rows[Math.floor((y - first.top) / layout.rowHeight)] ?? null;
}

export type Zone = "ruler" | "sections" | "intensity" | "parts" | "grid" | "none";

export function zoneAt(layout: Layout, y: number, scrollTop: number): Zone {
  if (y < RULER) return "ruler";
  if (y < RULER + SECTIONS) return "sections";
  if (y < HEAD) return "intensity";
  const below = y - HEAD + scrollTop;
  if (below < layout.drumsTitle) return "parts";
  return rowAt(layout, below) ? "grid" : "none";
}
