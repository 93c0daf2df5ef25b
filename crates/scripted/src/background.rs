//! Work on a thread of its own, so that tests need no runtime, or may have one of any kind.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Runs the work to its end, and then drops all that it spawned: whatever connections there are, are cut.
pub(crate) fn run(
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(work);
        drop(runtime);
    })
}
