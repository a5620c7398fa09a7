/** The name under which something is saved, as the server would name it. */
export function fileName(project: string, what: string): string {
  const clean = (text: string): string => text.replace(/^[ .]+|[ .]+$/g, "");
  const stem = clean(clean(project.replace(/[\u0000-\u001f<>:"/\\|?*\u007f]/g, "_")).slice(0, 80)) || "song";
  const ends: Record<string, string> = { "song.mid": "-drums.mid", "drums.mid": "-drums-only.mid", "project.backbeat": ".backbeat", "song.wav": ".wav" };
  return stem + (ends[what] ?? `-${what}`);
}
