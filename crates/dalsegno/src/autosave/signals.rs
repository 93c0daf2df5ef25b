//! A last save before a signal ends the program.

use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::AutoSave;
use crate::error::{Error, Result};

impl AutoSave {
    /// From now on, when the program is told to end (SIGTERM, or SIGINT: Ctrl-C), all sessions are saved for the last
    /// time and closed before it does. A program that has its own way to end calls [`stop`](AutoSave::stop) there
    /// instead.
    ///
    /// # Errors
    /// `Storage` where the system refuses.
    pub fn stop_on_signals(self: &Arc<Self>) -> Result<()> {
        let failed = |e| Error::io("listening to signals", e);
        let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
        let saving = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("dalsegno-signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    if let Some(saving) = saving.upgrade() {
                        // What could not be saved stays open, and is found when the program starts again.
                        drop(saving.stop());
                    }
                    drop(emulate_default_handler(signal));
                }
            })
            .map_err(failed)?;
        Ok(())
    }
}
