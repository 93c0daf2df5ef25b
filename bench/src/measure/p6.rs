//! P6: counting the messages of 2,000 session files, as when a program starts, and of a single large one.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dalsegno_hermes::{Count, count, recover_all};
use serde::Deserialize;
use serde_json::json;

use super::cpu::Spent;
use super::rounds::{Contest, Timing};
use super::{Plan, memory};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::chat::{ChatState, of_length};
use crate::workload::{Document, Layout};

const SCRIPT: &str = include_str!("../../python/json_loads.py");

/// Bytes of a session file.
const SIZE: usize = 360_000;

/// Different files among those that are counted.
const DIFFERENT: usize = 20;

/// Bytes of the large file.
const LARGE: u64 = 200_000_000;

const PYTHON: &str = "Python json.loads(path.read_text()) of each";
const COUNT: &str = "Dalsegno, each counted";
const READ: &str = "each read, and nothing done with it";

/// The large file first, while this process holds nothing else.
pub fn run(plan: &Plan) -> Result<Findings> {
    let mut found = Findings::default();
    large(plan, &mut found)?;
    for shape in Shape::ALL {
        many(plan, &mut found, shape)?;
    }
    Ok(found)
}

/// How a session file is written.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Laid(Layout),
    /// As Python's `json.dumps` writes unless told otherwise: spaces after commas and colons, and
    /// nothing but ASCII.
    Dumps,
    /// Messages of a few words.
    Short,
}

impl Shape {
    const ALL: [Self; 4] = [
        Self::Laid(Layout::Compact),
        Self::Laid(Layout::Indented),
        Self::Dumps,
        Self::Short,
    ];

    fn title(self) -> String {
        match self {
            Self::Laid(layout) => format!("{} chats", layout.name()),
            Self::Dumps => "chats as json.dumps writes them".to_owned(),
            Self::Short => "chats of short messages, indented".to_owned(),
        }
    }

    fn text(self, chat: &ChatState) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Laid(layout) => chat.text(layout),
            Self::Dumps => dumps(&chat.compact())?,
            Self::Short => {
                let messages = chat.messages.iter().flat_map(|message| {
                    let words: Vec<&str> = message.content.split_whitespace().collect();
                    let short: Vec<String> = words.chunks(5).map(|few| few.join(" ")).collect();
                    short
                        .into_iter()
                        .map(|few| json!({"role": "user", "content": few}))
                });
                serde_json::to_vec_pretty(&json!({"messages": messages.collect::<Vec<_>>()}))?
            }
        })
    }

    /// A session of about [`SIZE`] bytes.
    fn session(self, seed: u64) -> Result<Vec<u8>> {
        let chat = of_length(seed, 700);
        let whole = self.text(&chat)?.len();
        let part = chat.messages.len() * SIZE / whole;
        self.text(&of_length(seed, part.max(2)))
    }
}

/// The same document as Python lays it out.
fn dumps(text: &[u8]) -> Result<Vec<u8>> {
    let script = "import json, sys; sys.stdout.write(json.dumps(json.load(sys.stdin)))";
    let mut child = Command::new("python3")
        .args(["-I", "-X", "utf8", "-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .context("python3 could not be started")?;
    let mut stdin = child.stdin.take().context("it has an input")?;
    stdin.write_all(text)?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "Python could not lay it out");
    Ok(output.stdout)
}

fn many(plan: &Plan, found: &mut Findings, shape: Shape) -> Result<()> {
    let files = if plan.quick { 200 } else { 2_000 };
    let folder = tempfile::tempdir()?;
    let (alone, backed) = (folder.path().join("alone"), folder.path().join("backed"));
    fs::create_dir(&alone)?;
    fs::create_dir(&backed)?;
    let mut bytes = 0;
    let mut texts = Vec::new();
    for seed in 0..DIFFERENT as u64 {
        texts.push(shape.session(plan.seed + seed)?);
    }
    let mut paths = Vec::new();
    for (number, text) in (0..files).zip(texts.iter().cycle()) {
        let path = alone.join(format!("{number:06}.json"));
        fs::write(&path, text)?;
        for name in ["json", "json.bak"] {
            fs::hard_link(&path, backed.join(format!("{number:06}.{name}")))?;
        }
        bytes += text.len() as u64;
        paths.push(path);
    }
    drop(texts);

    let messages = python(&alone)?.messages;
    let timings = contest(plan, &paths, [&alone, &backed], messages)?;
    let mut table = Table::new(
        "p6",
        format!("counting {files} session files, {}", shape.title()),
        &["way", "CPU a file", "of Python", "bytes a second of CPU"],
    );
    table.note(format!(
        "{} bytes a file on average, {messages} messages in all; the system holds the files in memory; \
         Python measures itself, without its start",
        bytes / files
    ));
    let time = |name: &str| {
        let timing = timings.iter().find(|timing| timing.name == name);
        timing.map_or(f64::NAN, |timing| timing.median.cpu_us)
    };
    for timing in &timings {
        let cpu = timing.median.cpu_us;
        table.row(
            timing.name.as_str(),
            [
                Cell::Micros(cpu),
                Cell::Times(time(PYTHON) / cpu),
                Cell::Bytes((bytes as f64 / files as f64 / cpu * 1e6) as u64),
            ],
        );
    }
    found.tables.push(table);
    let what = format!("CPU to count {}: Python's of ours", shape.title());
    found.claim("p6", what, Bound::AtLeast(15.0), time(PYTHON) / time(COUNT));
    Ok(())
}

fn contest(
    plan: &Plan,
    paths: &[PathBuf],
    [alone, backed]: [&Path; 2],
    messages: u64,
) -> Result<Vec<Timing>> {
    let files = paths.len();
    let mut contest = Contest::default();
    contest.add_timed(PYTHON, files, || {
        let measured = python(alone)?;
        ensure!(measured.messages == messages, "Python counted otherwise");
        Ok(Spent {
            cpu_us: measured.cpu_s * 1e6,
            wall_us: measured.wall_s * 1e6,
        })
    });
    contest.add(COUNT, files, || {
        let counts = paths.iter().map(|path| match count(path) {
            Count::Messages(count) => count,
            Count::Unreadable(_) => 0,
        });
        let counted: u64 = counts.sum();
        ensure!(counted == messages, "{counted} of {messages} messages");
        Ok(())
    });
    contest.add(READ, files, || {
        let mut buffer = vec![0; 64 << 10];
        for path in paths {
            let mut file = File::open(path)?;
            while file.read(&mut buffer)? > 0 {}
        }
        Ok(())
    });
    contest.add(
        "Dalsegno, recover_all: a backup for each, all equal",
        files,
        || {
            let scan = recover_all(backed)?;
            ensure!(
                scan.scanned == files as u64 && scan.restored == 0,
                "{scan:?}"
            );
            Ok(())
        },
    );
    contest.add("Dalsegno, recover_all: no backups", files, || {
        Ok(recover_all(alone)?)
    });
    contest.run(plan.few_rounds())
}

#[derive(Debug, Deserialize)]
struct Measured {
    messages: u64,
    cpu_s: f64,
    wall_s: f64,
}

fn python(folder: &Path) -> Result<Measured> {
    let output = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .arg(folder)
        .output()
        .context("python3 could not be started")?;
    ensure!(
        output.status.success(),
        "the Python script failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn large(plan: &Plan, found: &mut Findings) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("large.json");
    let messages = write_large(&path, plan.seed)?;
    memory::reset_peak();
    let (counted, spent) = super::cpu::spent(|| Ok(count(&path)))?;
    ensure!(counted == Count::Messages(messages), "{counted}");
    let peak = memory::peak().unwrap_or_default();
    let bytes = fs::metadata(&path)?.len();
    let columns = ["way", "bytes", "CPU", "bytes a second of CPU", "memory"];
    let mut table = Table::new("p6", "counting one large session file", &columns);
    table.note("memory is the peak of this whole process, which the target is for");
    let rate = (bytes as f64 / spent.cpu_us * 1e6) as u64;
    table.row(
        COUNT,
        [
            Cell::Bytes(bytes),
            Cell::Micros(spent.cpu_us),
            Cell::Bytes(rate),
            Cell::Bytes(peak),
        ],
    );
    found.tables.push(table);
    let what = "memory to count a file of 200 MB: of 32 MB";
    found.claim("p6", what, Bound::AtMost(1.0), peak as f64 / 32e6);
    Ok(())
}

/// Writes a session of [`LARGE`] bytes and says how many messages it has.
fn write_large(path: &Path, seed: u64) -> Result<u64> {
    let chat = of_length(seed, 100);
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"{\"messages\":[")?;
    let (mut messages, mut bytes) = (0, 0);
    for message in chat.messages.iter().cycle() {
        let text = serde_json::to_vec(message)?;
        if bytes >= LARGE {
            break;
        }
        if messages > 0 {
            out.write_all(b",")?;
        }
        out.write_all(&text)?;
        bytes += text.len() as u64 + 1;
        messages += 1;
    }
    out.write_all(b"]}")?;
    out.flush()?;
    Ok(messages)
}
