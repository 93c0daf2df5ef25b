//! The watch, in a process of its own, so that its CPU time and its memory are nobody else's.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dalsegno::Engine;
use dalsegno_watch::{Event, Settings, Watch};
use serde::{Deserialize, Serialize};

use crate::measure::cpu::own_us;
use crate::measure::memory;

/// As the command has it where nothing else is said.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// What the watch took until now, or since the last time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Took {
    pub(super) cpu_us: f64,
    pub(super) peak: u64,
    pub(super) saved: u64,
}

/// The process.
pub(super) struct Watcher {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Watcher {
    pub(super) fn start(store: &Path, folder: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("watch-child")
            .args([store, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the watcher's process could not be started")?;
        let says = BufReader::new(child.stdout.take().context("it has an output")?);
        Ok(Self { child, says })
    }

    /// Waits until it has seen all that was there.
    pub(super) fn began(&mut self) -> Result<Took> {
        self.next()
    }

    /// Ends it.
    pub(super) fn end(mut self) -> Result<Took> {
        drop(self.child.stdin.take());
        let took = self.next()?;
        ensure!(self.child.wait()?.success(), "the watcher failed");
        Ok(took)
    }

    fn next(&mut self) -> Result<Took> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("the watcher said '{line}'"))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Where it has ended, there is nothing to do.
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What the process does: watches `folder` until its input ends, and says on its output what that took.
pub fn child(store: &Path, folder: PathBuf) -> Result<()> {
    let engine = Engine::open(store)?;
    let settings = Settings {
        settle: SETTLE,
        ..Settings::default()
    };
    let mut watch = Watch::new(&engine, &[folder], settings)?;
    let stopper = watch.stopper();
    std::thread::spawn(move || {
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        stopper.stop();
    });
    let (mut before, mut saved, mut failed) = (own_us(), 0, Vec::new());
    let mut to_see = None;
    let mut told = |event: &Event| {
        match event {
            Event::Watching { to_read, .. } => to_see = u64::try_from(*to_read).ok(),
            Event::Saved { .. } => saved += 1,
            Event::NotSaved { message, .. } => failed.push(message.clone()),
            _ => {}
        }
        if to_see.is_some_and(|to_see| saved >= to_see) {
            say(before, saved);
            memory::reset_peak();
            (before, saved, to_see) = (own_us(), 0, None);
        }
    };
    watch.run(&mut told)?;
    say(before, saved);
    ensure!(failed.is_empty(), "{failed:?}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "that is how it says it")]
fn say(before: f64, saved: u64) {
    let took = Took {
        cpu_us: own_us() - before,
        peak: memory::peak().unwrap_or_default(),
        saved,
    };
    println!("{}", serde_json::to_string(&took).unwrap_or_default());
}
