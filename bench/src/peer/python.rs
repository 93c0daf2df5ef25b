//! Python's `json.dumps` and a write per session: how the programs save many sessions today.
//!
//! The script measures itself, so that starting Python and reading its input do not count.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The Python that has the packages of the scripts; `python3` unless the environment names another.
const PYTHON: &str = "DALSEGNO_BENCH_PYTHON";

/// What a script that measures itself says. It needs Dalsegno's package and `package`.
///
/// # Errors
/// Where it fails, or says something else.
pub fn measured<T: DeserializeOwned>(
    script: &str,
    arguments: &[&OsStr],
    package: &str,
) -> Result<T> {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python)
        .args(["-I", "-c", script])
        .args(arguments)
        .output()
        .with_context(|| format!("{python} could not be started"))?;
    ensure!(
        output.status.success(),
        "the Python script failed; {python} needs `pip install . {package}`, or name another in {PYTHON}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

const SCRIPT: &str = include_str!("../../python/json_dump.py");

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `json.dumps(state)` and `write`.
    Plain,
    /// The same and `os.fsync`.
    Synced,
    /// `json.dumps(state, indent=2)` and `write`, the layout of the programs' own files.
    Indented,
}

impl Style {
    /// All styles, in the order of the reports.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Synced, Self::Indented];

    /// The name of the row in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "Python json.dumps + write",
            Self::Synced => "Python json.dumps + write + fsync",
            Self::Indented => "Python json.dumps(indent=2) + write",
        }
    }

    const fn flag(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Synced => "synced",
            Self::Indented => "indented",
        }
    }
}

/// What the script measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Measured {
    /// Files written.
    pub sessions: u64,
    /// Seconds that passed.
    pub wall_s: f64,
    /// Seconds of CPU time.
    pub cpu_s: f64,
    /// Bytes written.
    pub bytes: u64,
}

/// Lets Python write `sessions` files, taking the given states in turn.
///
/// A few hundred different states stand for all: Python needs three times the size of a state to
/// hold it, and what is written is as long as if all were different.
pub fn dump(
    folder: &Path,
    states: impl Iterator<Item = Vec<u8>>,
    sessions: usize,
    style: Style,
) -> Result<Measured> {
    let input = folder.join("states.jsonl");
    let mut lines = BufWriter::new(File::create(&input)?);
    for state in states {
        lines.write_all(&state)?;
        lines.write_all(b"\n")?;
    }
    lines.into_inner().map_err(|e| e.into_error())?;
    let out = folder.join("sessions");
    std::fs::create_dir(&out)?;
    let output = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .arg(&input)
        .arg(&out)
        .arg(sessions.to_string())
        .arg(style.flag())
        .output()
        .context("python3 could not be started")?;
    ensure!(
        output.status.success(),
        "the Python script failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Document;
    use crate::workload::tick::TickSessions;

    #[test]
    fn python_writes_what_it_was_given() {
        let ticks = TickSessions::new(1, 4);
        for style in Style::ALL {
            let folder = tempfile::tempdir().expect("a folder");
            let states = ticks.states(0).map(|s| s.compact());
            let measured = dump(folder.path(), states, 10, style).expect("runs");
            assert_eq!(measured.sessions, 10);
            let file = std::fs::read(folder.path().join("sessions/000007.json")).expect("file");
            let state: crate::workload::player::QueueState =
                serde_json::from_slice(&file).expect("parses");
            assert_eq!(state, ticks.state(3, 0));
        }
    }
}
