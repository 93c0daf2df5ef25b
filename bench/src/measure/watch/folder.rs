//! The watched folder, and those who write into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use twox_hash::XxHash3_128;

use super::Load;
use crate::workload::Document;
use crate::workload::chat::of_length;

/// Bytes of a file.
const SIZE: usize = 360_000;

/// Different files among them.
const DIFFERENT: usize = 20;

/// One change in so many is followed at once by another to the same file, and need not be kept.
const HASTY: usize = 8;

/// The folder and its files.
pub(super) struct Folder {
    path: PathBuf,
    files: Vec<PathBuf>,
    bytes: u64,
}

/// A state that a writer wrote.
pub(super) struct Written {
    session: String,
    checksum: String,
    /// How long it was the file's state.
    pub(super) stood: Duration,
}

impl Written {
    pub(super) fn key(&self) -> (String, String) {
        (self.session.clone(), self.checksum.clone())
    }
}

impl Folder {
    pub(super) fn fill(place: &Path, seed: u64, load: Load) -> Result<Self> {
        let path = fs::canonicalize(place)?.join("chats");
        fs::create_dir(&path)?;
        let mut texts = Vec::new();
        for number in 0..DIFFERENT.min(load.files) as u64 {
            let whole = of_length(seed + number, 400);
            let part = whole.messages.len() * SIZE / whole.compact().len();
            texts.push(of_length(seed + number, part).compact());
        }
        let mut folder = Self {
            path,
            files: Vec::with_capacity(load.files),
            bytes: 0,
        };
        for (number, text) in (0..load.files).zip(texts.iter().cycle()) {
            let path = folder.path.join(format!("{number:06}.json"));
            fs::write(&path, text)?;
            folder.bytes += text.len() as u64;
            folder.files.push(path);
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets all writers write, and tells what they wrote.
    pub(super) fn write(&self, load: Load) -> Result<Vec<Written>> {
        let share = load.files.div_ceil(load.writers).max(1);
        let pause = Duration::from_secs_f64(load.writers as f64 / load.rate as f64);
        std::thread::scope(|scope| {
            let writers: Vec<_> = self
                .files
                .chunks(share)
                .enumerate()
                .map(|(number, files)| scope.spawn(move || writer(number, files, pause, load.time)))
                .collect();
            let mut all = Vec::new();
            for writer in writers {
                let written = writer.join().ok().context("a writer panicked")?;
                all.extend(written?);
            }
            Ok(all)
        })
    }
}

/// Appends a message to one of its files after the other.
fn writer(
    number: usize,
    files: &[PathBuf],
    pause: Duration,
    time: Duration,
) -> Result<Vec<Written>> {
    let began = Instant::now();
    let mut written: Vec<(usize, Instant, String)> = Vec::new();
    // Not all at the same moment.
    std::thread::sleep(pause.mul_f64((number % 16) as f64 / 16.0));
    let mut change = 0;
    while began.elapsed() < time {
        let file = change % files.len();
        let times = if change % HASTY == HASTY - 1 { 2 } else { 1 };
        for _ in 0..times {
            let path = files.get(file).context("a file")?;
            let checksum = append(path, number, change, written.len().is_multiple_of(2))?;
            written.push((file, Instant::now(), checksum));
        }
        change += 1;
        let due = pause.mul_f64(change as f64 + (number % 16) as f64 / 16.0);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
    }
    // The last ones have to stand still as well.
    std::thread::sleep(super::SETTLE * 4);
    let end = Instant::now();
    let states = written
        .iter()
        .enumerate()
        .map(|(place, (file, at, checksum))| {
            let mut later = written.iter().skip(place + 1);
            let next = later.find(|(next, _, _)| next == file);
            let next = next.map_or(end, |(_, at, _)| *at);
            let session = files.get(*file).and_then(|path| path.file_stem());
            Written {
                session: session.unwrap_or_default().to_string_lossy().into_owned(),
                checksum: checksum.clone(),
                stood: next.saturating_duration_since(*at),
            }
        });
    Ok(states.collect())
}

/// Adds a message, and answers the checksum of what stands there then.
fn append(path: &Path, writer: usize, change: usize, replace: bool) -> Result<String> {
    let mut text = fs::read(path)?;
    let end = text.len().saturating_sub(2);
    text.truncate(end);
    let message = format!(
        ",{{\"role\":\"user\",\"content\":\"writer {writer} has come to message {change}, and has {} to say of it\"}}]}}",
        if replace { "more" } else { "nothing" }
    );
    text.extend(message.as_bytes());
    if replace {
        let staged = path.with_extension("json.tmp");
        fs::write(&staged, &text)?;
        fs::rename(staged, path)?;
    } else {
        fs::write(path, &text)?;
    }
    Ok(format!("{:032x}", XxHash3_128::oneshot(&text)))
}
