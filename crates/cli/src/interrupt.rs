//! Ctrl-C: the program ends with exit code 130.
//!
//! Nothing has to be undone: a commit happens or not, and files are staged. Work that holds a staged
//! file is told to stop, so that it takes the file away.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{program, progress};

static ASKED: AtomicBool = AtomicBool::new(false);
static POLITE: AtomicBool = AtomicBool::new(false);

/// Begins to watch for Ctrl-C.
pub(crate) fn watch() {
    // Where another handler is set or the signal is ignored, as in the background, that stays.
    let _as_it_was = ctrlc::try_set_handler(|| {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if !(first && POLITE.load(Ordering::SeqCst)) {
            progress::clear();
            let _unheard = writeln!(io::stderr(), "{}: interrupted", program::name());
            std::process::exit(130);
        }
    });
}

/// While it lives, the first Ctrl-C only makes [`Interruptible`] fail.
pub(crate) struct Polite;

impl Polite {
    pub(crate) fn begin() -> Self {
        POLITE.store(true, Ordering::SeqCst);
        Self
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn asked() -> bool {
        ASKED.load(Ordering::SeqCst)
    }
}

impl Drop for Polite {
    fn drop(&mut self) {
        POLITE.store(false, Ordering::SeqCst);
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
