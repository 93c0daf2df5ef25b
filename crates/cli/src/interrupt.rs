//! Ctrl-C: the program ends with exit code 130.
//!
//! Nothing has to be undone: a commit happens or not, and files are staged. Work that holds a staged
//! file is told to stop, so that it takes the file away; scratch folders of work that cannot stop go with the program.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::Failure;
use crate::progress;

static ASKED: AtomicBool = AtomicBool::new(false);
/// How much is at work that the first Ctrl-C does not end.
static POLITE: AtomicUsize = AtomicUsize::new(0);
/// What goes when the program is ended.
static SCRATCH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn scratch() -> MutexGuard<'static, Vec<PathBuf>> {
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch for Ctrl-C, which is told as other errors are.
pub(crate) fn watch(as_json: bool) {
    // Where another handler is set or the signal is ignored, as in the background, that stays.
    let _as_it_was = ctrlc::try_set_handler(move || {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if !(first && POLITE.load(Ordering::SeqCst) > 0) {
            progress::clear();
            Failure::interrupted().report(as_json);
            // Held to the end: nobody takes one away that is not there any more.
            let there = scratch();
            for folder in &*there {
                drop(std::fs::remove_dir_all(folder));
            }
            std::process::exit(130);
        }
    });
}

/// While it lives, the first Ctrl-C only makes [`Interruptible`] fail.
pub(crate) struct Polite;

impl Polite {
    pub(crate) fn begin() -> Self {
        POLITE.fetch_add(1, Ordering::SeqCst);
        Self
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn asked() -> bool {
        ASKED.load(Ordering::SeqCst)
    }
}

impl Drop for Polite {
    fn drop(&mut self) {
        POLITE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A folder that goes with the program, if Ctrl-C ends it while this lives.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn of(folder: PathBuf) -> Self {
        scratch().push(folder.clone());
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        scratch().retain(|folder| *folder != self.0);
    }
}

/// A writer that fails once Ctrl-C was pressed.
pub(crate) struct Interruptible<W>(pub(crate) W);

impl<W: Write> Write for Interruptible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if Polite::asked() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
