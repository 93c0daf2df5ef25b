//! A writer that is killed with SIGKILL in the middle of a save.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Serialize;

use super::evening::Who;
use crate::failure::{Failure, Result};
use crate::settings;

/// How often a writer may happen to be killed between two saves.
const TRIES: u32 = 50;

/// SIGKILL, which no program can catch.
const KILL: i32 = 9;

/// A save that a writer began.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Begun {
    pub(super) step: u32,
    pub(super) who: Who,
    /// Its id, if it was acknowledged.
    pub(super) id: Option<String>,
}

/// What the killed writers said before they died.
#[derive(Debug, Default)]
pub(super) struct Crash {
    pub(super) saves: Vec<Begun>,
    /// How many writers were killed; all but the last between two saves.
    pub(super) kills: u32,
}

impl Crash {
    /// The saves that were acknowledged.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = &Begun> {
        self.saves.iter().filter(|save| save.id.is_some())
    }

    /// The save in the middle of which the last writer was killed.
    pub(super) fn cut_off(&self) -> Option<&Begun> {
        self.saves.last().filter(|save| save.id.is_none())
    }
}

/// Starts a writer on `store` at `step`, and kills it at a random moment; again, until the moment is
/// in the middle of a save.
pub(super) fn crash(store: &Path, step: u32) -> Result<Crash> {
    let mut crash = Crash::default();
    for _ in 0..TRIES {
        let from = crash.saves.last().map_or(step, |save| save.step);
        kill_one(store, from, &mut crash)?;
        crash.kills += 1;
        if crash.cut_off().is_some() {
            return Ok(crash);
        }
    }
    Err(Failure::problem(format!(
        "{TRIES} writers were killed, none in the middle of a save"
    )))
}

fn kill_one(store: &Path, step: u32, crash: &mut Crash) -> Result<()> {
    let failed = |what: &'static str| move |e| Failure::io(what, e);
    let program = std::env::current_exe().map_err(failed("finding this program"))?;
    let mut writer = Command::new(program)
        .args(["demo-writer", "--step", &step.to_string(), "--store"])
        .arg(store)
        .args(settings::opening_words().flatten())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed("starting a writer"))?;
    let Some(said) = writer.stdout.take() else {
        return Err(Failure::problem("the writer has no standard output"));
    };
    let mut said = BufReader::new(said);
    let mut heard = Heard {
        saves: &mut crash.saves,
        acknowledged: 0,
    };
    let chance = RandomState::new().hash_one("when");
    let enough = 20 + chance % 40;
    // Until the writer has begun one save more; then it is busy with that for a while.
    while (heard.acknowledged < enough || heard.is_idle()) && heard.line(&mut said)? {}
    std::thread::sleep(Duration::from_micros(chance / 40 % 1_500));
    writer.kill().map_err(failed("killing the writer"))?;
    let status = writer
        .wait()
        .map_err(failed("waiting for the writer's end"))?;
    while heard.line(&mut said)? {}
    if status.signal() == Some(KILL) && heard.acknowledged >= enough {
        Ok(())
    } else {
        Err(Failure::problem(format!(
            "the writer ended by itself: {status}"
        )))
    }
}

struct Heard<'a> {
    saves: &'a mut Vec<Begun>,
    acknowledged: u64,
}

impl Heard<'_> {
    /// Whether the last save that was begun is acknowledged.
    fn is_idle(&self) -> bool {
        self.saves.last().is_none_or(|save| save.id.is_some())
    }

    /// Takes a line, if there is one more that was written whole.
    fn line(&mut self, said: &mut impl BufRead) -> Result<bool> {
        let mut line = String::new();
        let read = said.read_line(&mut line);
        read.map_err(|e| Failure::io("listening to the writer", e))?;
        let Some(line) = line.strip_suffix('\n') else {
            return Ok(false);
        };
        let words: Vec<_> = line.split(' ').collect();
        let who = |session: &str| Who::ALL.into_iter().find(|who| who.session() == session);
        match words.as_slice() {
            ["saving", step, session] => {
                let (Ok(step), Some(who)) = (step.parse(), who(session)) else {
                    return Err(strange(line));
                };
                self.saves.push(Begun {
                    step,
                    who,
                    id: None,
                });
            }
            ["saved", _, _, id] => {
                let Some(save) = self.saves.last_mut().filter(|save| save.id.is_none()) else {
                    return Err(strange(line));
                };
                save.id = Some((*id).to_owned());
                self.acknowledged += 1;
            }
            _ => return Err(strange(line)),
        }
        Ok(true)
    }
}

fn strange(line: &str) -> Failure {
    Failure::problem(format!("the writer said something strange: {line}"))
}
