//! The bot as a program of its own: started, listened to, killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::bot::Said;
use crate::failure::{Failure, Result};
use crate::settings;

/// The bot's process. Dropped, it is killed.
pub(super) struct Process {
    child: Child,
    said: BufReader<ChildStdout>,
}

/// What the bot said of its guilds.
pub(super) type Told = BTreeMap<u64, Said>;

impl Process {
    pub(super) fn start(store: &Path, nodes: &[(&str, u16)]) -> Result<Self> {
        let failed = |what: &'static str| move |e| Failure::io(what, e);
        let program = std::env::current_exe().map_err(failed("finding this program"))?;
        let mut command = Command::new(program);
        command.arg("demo-bot").arg("--store").arg(store);
        command.args(settings::opening_words().flatten());
        for (name, port) in nodes {
            command.args(["--node", &format!("{name}={port}")]);
        }
        // It ends when nobody holds its input any more.
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed("starting the bot"))?;
        let Some(said) = child.stdout.take() else {
            return Err(Failure::problem("the bot has no standard output"));
        };
        let said = BufReader::new(said);
        Ok(Self { child, said })
    }

    /// Waits until it plays, and answers what it says of each guild.
    pub(super) fn ready(&mut self) -> Result<Told> {
        let mut told = Told::new();
        loop {
            let mut line = String::new();
            let read = self.said.read_line(&mut line);
            read.map_err(|e| Failure::io("listening to the bot", e))?;
            if line.is_empty() {
                return Err(Failure::problem("the bot ended by itself"));
            }
            if line.trim_end() == "ready" {
                return Ok(told);
            }
            let said: Said = serde_json::from_str(&line)
                .map_err(|e| Failure::problem(format!("the bot said {line:?}: {e}")))?;
            told.insert(said.guild, said);
        }
    }

    /// Kills it with SIGKILL, which no program can catch.
    pub(super) fn kill(&mut self) -> Result<()> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed
            .map(drop)
            .map_err(|e| Failure::io("killing the bot", e))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
