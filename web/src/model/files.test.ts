import { describe, expect, it } from "vitest";
import { fileName } from "./files";

describe("names of files", () => {
  it("are those that the server gives", () => {
    const names = ["song.mid", "drums.mid", "pieces.mid", "project.backbeat", "song.wav", "drums.wav", "stems.zip"].map((what) => fileName("Für Elise", what));
    expect(names).toEqual(["Für Elise-drums.mid", "Für Elise-drums-only.mid", "Für Elise-pieces.mid", "Für Elise.backbeat", "Für Elise.wav", "Für Elise-drums.wav", "Für Elise-stems.zip"]);
  });

  it("hold nothing that a disk or the address of a dragged file could take for something else", () => {
    expect(fileName('../a:b"c\\d', "song.wav")).toBe("_a_b_c_d.wav");
    expect(fileName(" . ", "song.wav")).toBe("song.wav");
    expect(fileName("x".repeat(99), "song.wav")).toHaveLength(84);
  });
});
