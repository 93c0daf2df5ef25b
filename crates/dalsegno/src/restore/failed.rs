//! The log's word on a restore that a program tried by itself, and that failed.

use super::{Restore, Source};
use crate::codec::deed::{Before, Detail, Target};
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::model::{SnapshotId, Status, Verb};

impl Engine {
    /// Notes in a session's log that a program tried to put a state into something that only it can reach, and could
    /// not. For programs that have to do that before the store can say that it is done. `target` is what people call the
    /// thing, `from` the snapshot whose state it was, of whichever session; `put_back` says whether what stood there
    /// stands there again. There is nothing to undo in it.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Storage`, `Denied` or `Locked` where the store cannot be written.
    pub fn note_failed_restore(
        &self,
        session: &str,
        target: &str,
        from: Option<SnapshotId>,
        components: &[String],
        why: &str,
        put_back: bool,
    ) -> Result<()> {
        let head = match self.info(&format!("{session}@latest")) {
            Ok(latest) => Some(latest.id.seq()),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Damaged) => None,
            Err(error) => return Err(error),
        };
        let detail = Detail {
            at: self.now().as_microsecond(),
            from: from.map(|from| from.seq()),
            components: components.to_vec(),
            target: Target::Other(target.to_owned()),
            before: if put_back {
                Before::Nothing
            } else {
                Before::Passed
            },
            head,
            failure: Some(why.to_owned()),
        };
        let session = session.to_owned();
        let source = Source::Nothing {
            session: session.clone(),
        };
        let restore = Restore::new(self, Verb::Restore, source);
        restore.record(&session, Status::RolledBack, &detail)?;
        Ok(())
    }
}
