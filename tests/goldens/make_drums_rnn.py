"""Makes drums_rnn.json with the reference: note-seq 0.0.5 (Apache-2.0), installed in an environment of its own.

    PYTHON_WITH_NOTE_SEQ tests/goldens/make_drums_rnn.py DATA/groove tests/goldens/drums_rnn.json

Kept are: 1,000 random events with the class that MultiDrumOneHotEncoding gives and the notes it gives back; inputs and labels of the
encoders of drums_rnn's two configurations on 200 of them, as a digest and in part; and of Groove MIDI files the tracks that the
pipeline of drums_rnn extracts (min_bars 7, max_steps 512, gap_bars 1), as digests, and counts of all rock beats. The pipeline's extractor is
magenta's ``extract_drum_tracks``, which note-seq does not hold; its few rules around ``DrumTrack`` are written out below.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from note_seq import drums_encoder_decoder, drums_lib, encoder_decoder, events_lib, midi_io, sequences_lib

KIT = drums_encoder_decoder.MultiDrumOneHotEncoding()
CLAP = drums_encoder_decoder.MultiDrumOneHotEncoding([[39] + list(range(39)) + list(range(39, 128))])
ENCODERS = {
    "drum_kit": (encoder_decoder.LookbackEventSequenceEncoderDecoder(KIT, lookback_distances=[], binary_counter_bits=6), 4),
    "one_drum": (encoder_decoder.OneHotEventSequenceEncoderDecoder(CLAP), 2),
}


def extract(path, steps_per_quarter):
    """Tracks and counts of one file."""
    sequence = midi_io.midi_file_to_note_sequence(str(path))
    tracks, short, truncated, uneven = [], 0, 0, 0
    for part in sequences_lib.split_note_sequence_on_time_changes(sequence):
        quantised = sequences_lib.quantize_note_sequence(part, steps_per_quarter)
        bar, search = int(sequences_lib.steps_per_bar_in_quantized_sequence(quantised)), 0
        while True:
            track = drums_lib.DrumTrack()
            try:
                track.from_quantized_sequence(quantised, search_start_step=search, gap_bars=1.0)
            except events_lib.NonIntegerStepsPerBarError:
                uneven += 1
                break
            search = track.end_step + (search - track.end_step) % bar
            if not track:
                break
            if len(track) < track.steps_per_bar * 7:
                short += 1
                continue
            if len(track) > 512:
                track.set_length(512)
                truncated += 1
            tracks.append([sorted(e) for e in track])
    return tracks, [len(tracks), short, truncated, uneven]


def digest(value):
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def encode_random():
    rng = np.random.default_rng(0)
    events = [sorted(set(rng.integers(0, 128, rng.integers(0, 6)).tolist())) for _ in range(1000)]
    out = {"events": events, "classes": [KIT.encode_event(e) for e in events]}
    out["decoded"] = [sorted(KIT.decode_event(c)) for c in out["classes"]]
    for name, (encoder, _) in ENCODERS.items():
        inputs, labels = encoder.encode([frozenset(e) for e in events[:200]])
        out[name] = {"shape": np.shape(inputs), "inputs_sha256": digest(np.array(inputs).astype(int).tolist()), "labels": [int(n) for n in labels]}
        out[name] |= {"inputs_at_63": np.array(inputs[63]).astype(int).tolist()[-8:]}
    return out


def main(folder, out):
    folder = Path(folder)
    with (folder / "info.csv").open() as file:
        rows = list(csv.DictReader(file))
    rock = [r["midi_filename"] for r in rows if "rock" in r["style"] and r["beat_type"] == "beat"]
    files, total = {}, np.zeros(4, int)
    chosen = set(rock) | {r["midi_filename"] for r in rows[::8]}
    for row in rows:
        name = row["midi_filename"]
        if name not in chosen:
            continue
        files[name] = {}
        for config, (_, density) in ENCODERS.items():
            tracks, counts = extract(folder / name, density)
            files[name][config] = [digest(tracks)[:16], counts]
            if config == "drum_kit" and name in rock:
                total += counts
    golden = {"made_with": "note-seq 0.0.5", "random": encode_random(), "rock_beats": {"files": len(rock), "counts": total.tolist()}, "files": files}
    Path(out).write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
