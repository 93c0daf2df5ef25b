//! States as clones of the session.

use dalsegno::Result;

use super::{About, Keep, Kept};
use crate::snapshot::StateSnapshot;

/// Keeps clones. A session whose clones take constant time and share their structure, such as those of
/// [`dalsegno::List`] and of the collections of `imbl`, has its snapshots in constant time and in the memory
/// of what changes.
///
/// A clone must be a value of its own: what clones share behind an `Rc<RefCell<_>>` or `Arc<Mutex<_>>`
/// changes in snapshots as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clones;

impl<S: Clone> Keep<S> for Clones {
    type Held = S;

    fn keep(&mut self, session: &S, _about: &About<'_>) -> Result<Kept<S>> {
        Ok(Kept {
            held: session.clone(),
            given: None,
        })
    }

    fn state(&self, _snapshot: &StateSnapshot, held: &S) -> Result<S> {
        Ok(held.clone())
    }

    fn forget(&mut self, held: S) {
        drop(held);
    }
}
