//! Where answers go: data to standard output, remarks to standard error.
//!
//! A reader that has seen enough (`dalsegno snapshot list | head -1`) closes the pipe. That is no
//! error, and a deed that was begun is finished all the same: from then on, output goes nowhere.

use std::fmt::Display;
use std::io::{self, Stdout, Write};

use anstream::AutoStream;
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Standard output and error of one run.
pub(crate) struct Out {
    json: bool,
    quiet: bool,
    text: AutoStream<Stdout>,
    closed: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            quiet: false,
            text: anstream::stdout(),
            closed: false,
        }
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
        let written = writeln!(self.text, "{text}");
        self.settle(written)
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
        self.bytes(text.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = io::stdout().write_all(bytes);
        self.settle(written)
    }

    /// Makes sure that everything was written.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let flushed = io::stdout().flush();
        self.settle(flushed)
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<()> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::io("writing the output", error)),
            Ok(()) => Ok(()),
        }
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
