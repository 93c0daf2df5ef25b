//! Saving by itself that stops for a while: for programs that fork.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::AutoSave;
use super::run::stopped;
use crate::engine::Engine;
use crate::error::Result;

impl AutoSave {
    /// Ends the thread and lets go of the engine, after what it is doing; false where that takes longer than `patience`,
    /// and then it pauses as soon as it can. Nothing is saved and no session is closed by it. Whoever waits for a save
    /// waits on, until [`resume`](AutoSave::resume).
    #[must_use = "where it is false, the thread is still there"]
    pub fn pause(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut inner = self.shared.inner();
        inner.paused = true;
        self.shared.work.notify_one();
        while inner.runs {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.ended.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(inner);
        if let Some(thread) = self.thread().take() {
            drop(thread.join());
        }
        *self.shared.engine() = None;
        true
    }

    /// Whether it pauses, or will as soon as it can: what gathers states for a long time may as well leave off, because
    /// they are gathered anew.
    #[must_use]
    pub fn is_pausing(&self) -> bool {
        self.shared.inner().paused
    }

    /// Goes on after a [`pause`](AutoSave::pause), with this engine, which has the same sessions open: see
    /// [`Options::go_on`](crate::Options::go_on). One that was stopped stays stopped.
    ///
    /// # Errors
    /// `Storage` where the thread cannot be started.
    pub fn resume(&self, engine: &Arc<Engine>) -> Result<()> {
        let mut inner = self.shared.inner();
        inner.paused = false;
        if inner.runs || inner.stop {
            self.shared.work.notify_one();
            return Ok(());
        }
        inner.runs = true;
        drop(inner);
        *self.shared.engine() = Some(Arc::clone(engine));
        match self.shared.start(Arc::clone(engine)) {
            Ok(thread) => {
                *self.thread() = Some(thread);
                Ok(())
            }
            Err(error) => {
                self.shared.inner().runs = false;
                Err(error)
            }
        }
    }

    /// Lets a session go and closes it as it is, without a last save: for whoever has just waited for
    /// [`save_now`](AutoSave::save_now).
    ///
    /// # Errors
    /// As [`Engine::close_session`].
    pub fn release(&self, session: &str) -> Result<()> {
        let engine = self.shared.engine().clone().ok_or_else(stopped)?;
        self.shared.forget(session);
        engine.close_session(session)
    }
}
