//! What the disk has to do with, beside the runtime.

use dalsegno::{Error, ErrorKind, Result};
use tokio::task::spawn_blocking;

/// Does it in a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|e| {
        Err(Error::new(ErrorKind::Storage, "the work was given up").with_source(e))
    })
}
