//! Where answers go: data to standard output, remarks to standard error.
//!
//! A reader that has seen enough (`dalsegno snapshot list | head -1`) closes the pipe. That is no
//! error, and a deed that was begun is finished all the same: from then on, output goes nowhere.
//!
//! A disk that is full is an error. Where what was asked for is done by then, the error says so, with all that was to be told.

use std::fmt::Display;
use std::io::{self, Stdout, Write};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Standard output and error of one run.
pub(crate) struct Out {
    json: bool,
    quiet: bool,
    text: AutoStream<Stdout>,
    closed: bool,
    /// Whether what was asked for is done, and is not taken back by anything that fails from here on.
    done: bool,
    untold: Option<Untold>,
}

/// What could not be written of what was done.
struct Untold {
    why: Failure,
    text: Vec<String>,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            quiet: false,
            text: anstream::stdout(),
            closed: false,
            done: false,
            untold: None,
        }
    }

    /// From now on, what was asked for is done: where it cannot be told any more, [`end`](Self::end) says it.
    pub(crate) fn did(&mut self) {
        self.done = true;
    }

    /// Whether what was asked for is done.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether answers are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// From now on, nothing is said beside the answers.
    pub(crate) fn hush(&mut self) {
        self.quiet = true;
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes a line, or several, for people.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<()> {
        let text = text.to_string();
        let written = writeln!(self.text, "{text}");
        self.settle(written, || strip_str(&text).to_string())
    }

    /// Says something beside the answer. It is left out in JSON, and may go unheard.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.json && !self.quiet {
            let _unheard = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Writes `value` as one line of JSON.
    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|e| Failure::usage(format!("the answer cannot be written as JSON: {e}")))?;
        if self.closed {
            return Ok(());
        }
        let written = io::stdout().write_all(format!("{text}\n").as_bytes());
        self.settle(written, || text)
    }

    /// Writes a line with a secret in it, which nothing else may repeat: where it cannot be written, `instead` is said.
    pub(crate) fn secret(&mut self, text: &str, instead: impl FnOnce() -> String) -> Result<()> {
        let mut stdout = io::stdout();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        self.settle(written, instead)
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = io::stdout().write_all(bytes);
        self.settle(written, || String::from_utf8_lossy(bytes).into_owned())
    }

    /// Makes sure that everything was written, and gives how the verb ended: if what it did could not be told, that, with
    /// all that was to be said.
    pub(crate) fn end(mut self, ended: Result<()>) -> Result<()> {
        let flushed = io::stdout().flush();
        let flushed = self.settle(flushed, String::new);
        let Some(Untold { why, mut text }) = self.untold else {
            return ended.and(flushed);
        };
        text.retain(|text| !text.is_empty());
        text.extend(ended.err().map(|failure| failure.message().to_owned()));
        let why = format!("it is done, but could not be told: {}", why.message());
        text.insert(0, why);
        Err(Failure::partly(text.join("\n")))
    }

    /// What becomes of writing `text`.
    fn settle(&mut self, written: io::Result<()>, text: impl FnOnce() -> String) -> Result<()> {
        let failure = match written {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                return Ok(());
            }
            Err(error) => Failure::io("writing the output", error),
        };
        if !self.done {
            return Err(failure);
        }
        let text = text();
        match &mut self.untold {
            Some(untold) => untold.text.push(text),
            None => {
                let text = vec![text];
                self.untold = Some(Untold { why: failure, text });
            }
        }
        Ok(())
    }
}

impl Write for Out {
    /// For the engine to write through. Here a closed pipe is an error, so that it stops.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = io::stdout().write(bytes);
        if written
            .as_ref()
            .is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
        {
            self.closed = true;
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}
