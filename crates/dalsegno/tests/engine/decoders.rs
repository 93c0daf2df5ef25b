//! The bodies of the fuzz targets, each on some thousands of inputs: honest ones with damage, and
//! noise.

use dalsegno::fuzzing::{TARGETS, samples};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::common::effort;

/// Small steps from an input: bits, bytes, numbers at their limits, pieces left out, doubled, moved.
fn damage(rng: &mut StdRng, data: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=data.len());
        let to = (at + rng.random_range(0..9)).min(data.len());
        match rng.random_range(0..9) {
            0 | 1 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
            2 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte = [0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'\\'][rng.random_range(0..8)];
                }
            }
            3 => data.insert(at, rng.random()),
            4 => drop(data.drain(at..to)),
            5 => {
                let piece = data[at..to].to_vec();
                let into = rng.random_range(0..=data.len());
                data.splice(into..into, piece);
            }
            6 => {
                let limit = [u32::MAX, 0, 1 << 31, (1 << 31) - 1][rng.random_range(0..4)];
                let end = (at + 4).min(data.len());
                data.splice(at..end, limit.to_le_bytes());
            }
            7 if !other.is_empty() => {
                let from = rng.random_range(0..other.len());
                let until = (from + rng.random_range(1..200)).min(other.len());
                data.splice(at..to, other[from..until].iter().copied());
            }
            _ => data.truncate(at),
        }
    }
}

fn run(target: &str, normal: u32, long: u32) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let samples = samples(target);
    assert!(!samples.is_empty());
    samples.iter().for_each(|sample| body(sample));
    let mut rng = StdRng::seed_from_u64(7);
    for n in 0..effort(normal, long) {
        let mut data = samples[rng.random_range(0..samples.len())].clone();
        if n % 8 == 0 {
            data = (0..rng.random_range(0..300))
                .map(|_| rng.random())
                .collect();
        }
        let other = &samples[rng.random_range(0..samples.len())];
        damage(&mut rng, &mut data, other);
        body(&data);
    }
}

#[test]
fn decode_record() {
    run("decode_record", 20_000, 10_000_000);
}

#[test]
fn decode_block() {
    run("decode_block", 10_000, 3_000_000);
}

#[test]
fn decode_detail() {
    run("decode_detail", 20_000, 10_000_000);
}

#[test]
fn decode_note() {
    run("decode_note", 20_000, 10_000_000);
}

#[test]
fn split_json() {
    run("split_json", 10_000, 3_000_000);
}

#[test]
fn engine_vs_model() {
    run("engine_vs_model", 40, 20_000);
}

#[test]
fn open_store() {
    run("open_store", 120, 50_000);
}

#[test]
fn open_archive() {
    run("open_archive", 120, 100_000);
}

#[test]
fn import_export() {
    run("import_export", 1_000, 300_000);
}

/// Inputs for `cargo fuzz` to begin with.
#[test]
#[ignore = "writes fuzz/corpus"]
fn write_corpus() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (target, _) in TARGETS {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (n, sample) in samples(target).iter().enumerate() {
            std::fs::write(folder.join(format!("sample-{n}")), sample).unwrap();
        }
    }
}
