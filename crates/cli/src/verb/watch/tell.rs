//! What a watch does, for people line by line, and for programs as JSON lines.

use std::path::Path;

use dalsegno_watch::Event;
use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::progress::Progress;
use crate::{human, program, settings, style};

/// Tells events as they come. What cannot be written ends nothing: the watch goes on, and it is said at its end.
pub(super) struct Teller<'a> {
    global: &'a Global,
    out: &'a mut Out,
    /// The line at the bottom of a terminal.
    status: Option<Progress>,
    outcome: Result<()>,
}

#[derive(Serialize)]
struct Told<'a> {
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

impl<'a> Teller<'a> {
    pub(super) fn new(global: &'a Global, out: &'a mut Out) -> Self {
        Self {
            global,
            out,
            status: None,
            outcome: Ok(()),
        }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        let told = if self.out.is_json() {
            self.out.json(&Told {
                at: Timestamp::now(),
                event,
            })
        } else {
            self.show(event)
        };
        if self.outcome.is_ok() {
            self.outcome = told;
        }
    }

    /// How telling went.
    pub(super) fn end(self) -> Result<()> {
        drop(self.status);
        self.outcome
    }

    fn show(&mut self, event: &Event) -> Result<()> {
        match event {
            // Not of how many: files come and go while it runs.
            Event::Watching { .. } => {
                self.status = Some(Progress::begin(self.out, None, "saved"));
            }
            Event::Saved { session, .. } => {
                if let Some(status) = &self.status {
                    status.done(session);
                }
            }
            Event::Ended { .. } => self.status = None,
            _ => {}
        }
        let Some(line) = self.line(event) else {
            return Ok(());
        };
        let time = human::time(Timestamp::now());
        let out = &mut *self.out;
        let write = || out.line(format!("{}  {line}", style::faint(time)));
        match &self.status {
            Some(status) => status.aside(write),
            None => write(),
        }
    }

    fn line(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Watching {
                folders,
                files,
                to_read,
                taken_over,
            } => {
                let folders: Vec<_> = folders.iter().map(|it| path(it)).collect();
                let left = match taken_over {
                    0 => String::new(),
                    left => format!(
                        "; {} taken over, which a program left open",
                        human::count(count(*left), "session")
                    ),
                };
                format!(
                    "watching {} in {}; {to_read} to read{left}",
                    human::count(count(*files), "file"),
                    folders.join(", ")
                )
            }
            Event::Saved {
                session,
                snapshot,
                size,
                stored_size,
                hasty,
                ..
            } => format!(
                "{} {} as {}: {}, stored in {}{}",
                style::good("saved"),
                human::safe(session),
                human::short(*snapshot),
                human::size(*size),
                human::size(*stored_size),
                if *hasty { " (not settled)" } else { "" }
            ),
            Event::Shrunk {
                session,
                snapshot,
                lost,
                ..
            } => {
                let session = human::safe(session);
                format!(
                    "{} {session}: {}: the fuller state is kept as {}; `guard restore {session} --ask` brings back what was lost",
                    style::bad("shrunk"),
                    human::safe(lost),
                    human::short(*snapshot)
                )
            }
            Event::WouldSave {
                file,
                session,
                size,
                new,
            } => format!(
                "{} would be saved as {}{} ({})",
                path(file),
                human::safe(session),
                if *new { ", a new session" } else { "" },
                human::size(*size)
            ),
            Event::Unchanged { .. } => return None,
            Event::PutBack {
                file,
                verb,
                snapshot,
                ..
            } => format!(
                "{} is what `{verb}` put there, {}; nothing to save",
                path(file),
                human::short(*snapshot)
            ),
            Event::Torn {
                file,
                session,
                message,
                last_good,
            } => {
                let way = match last_good {
                    Some(id) => format!(
                        "\n  the last good state is {}; restore it with: {}",
                        human::short(*id),
                        human::safe(&self.restore(session, file))
                    ),
                    None => "\n  no state of it was saved yet".to_owned(),
                };
                let what = style::bad("torn:");
                format!("{what} {}: {}{way}", path(file), human::safe(message))
            }
            Event::Unreadable { file, message, .. } => {
                format!(
                    "{} {}: {}",
                    style::bad("unreadable:"),
                    path(file),
                    human::safe(message)
                )
            }
            Event::NotSaved { file, message, .. } => format!(
                "{} {}: {}; it is tried again",
                style::bad("not saved:"),
                path(file),
                human::safe(message)
            ),
            Event::Renamed {
                session,
                renamed_from,
                ..
            } => format!(
                "{} goes on as {}",
                human::safe(renamed_from),
                human::safe(session)
            ),
            Event::Deleted { file, session, .. } => format!(
                "{} is gone; its session {} stays",
                path(file),
                human::safe(session)
            ),
            Event::Skipped { file, message } => {
                format!("not watched: {}: {}", path(file), human::safe(message))
            }
            Event::LookedAgain { message } => {
                format!("looking at all files: {}", human::safe(message))
            }
            Event::Ended { summary } => {
                let mut parts = vec![format!("{} saved", summary.saved)];
                for (number, what) in [
                    (summary.unchanged, "unchanged"),
                    (summary.torn, "torn"),
                    (summary.failed, "failed"),
                    (summary.skipped, "not watched"),
                ] {
                    if number > 0 {
                        parts.push(format!("{number} {what}"));
                    }
                }
                let files = human::count(count(summary.files), "file");
                format!("ended: {files}, {}", parts.join(", "))
            }
            _ => return None,
        })
    }

    /// The command that puts the last good state back.
    fn restore(&self, session: &str, file: &Path) -> String {
        let mut words = vec!["watch".to_owned(), "restore".to_owned()];
        if let Some(store) = &self.global.store {
            words.extend(["--store".to_owned(), program::path(store)]);
        }
        words.extend(settings::opening_words().flatten());
        words.extend(["--to".to_owned(), program::path(file)]);
        if session.starts_with('-') {
            words.push("--".to_owned());
        }
        words.push(format!("{session}@latest"));
        program::command(words)
    }
}

fn path(path: &Path) -> String {
    human::safe(&path.display().to_string())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
