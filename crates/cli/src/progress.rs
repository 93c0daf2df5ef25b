//! Bars for long work: on a terminal's standard error, and only where the answer goes to a terminal
//! too. Nothing is drawn with --json or into a pipe.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::human;
use crate::output::Out;

/// The bar that is shown, for whoever ends the program in the middle of its work.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A bar; it is gone once this is dropped, however the work ended.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to show the progress of work on `total` things, such as `sessions`; on an unknown
    /// number, they are only counted.
    pub(crate) fn begin(out: &Out, total: Option<u64>, things: &str) -> Self {
        if out.is_json() || !io::stdout().is_terminal() || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = if total.is_some() {
            format!("{{bar:30}} {{human_pos}}/{{human_len}} {things}  {{wide_msg}}")
        } else {
            format!("{{spinner}} {{human_pos}} {things}  {{wide_msg}}")
        };
        let bar = match ProgressStyle::with_template(&template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// One more is done; `name` is of whoever's text it is.
    pub(crate) fn done(&self, name: &str) {
        self.0.set_message(human::safe(name));
        self.0.inc(1);
    }

    /// Writes something above the bar.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// So many are done.
    pub(crate) fn reached(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        *shown() = None;
    }
}

/// Takes the bar away, if one is shown, and keeps it away.
pub(crate) fn clear() {
    if let Some(bar) = shown().take() {
        bar.finish_and_clear();
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
