//! How a watch is done.

use std::time::Duration;

use crate::selection::Selection;

/// How a watch is done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// So long a file stands still before it is read; 500 ms unless said, 20 ms at least.
    pub settle: Duration,
    /// A file that does not stand still for so long is read all the same, if it is whole; 10 s unless said.
    pub patience: Duration,
    /// The beginning of all sessions' names, without the slash behind it.
    pub prefix: String,
    /// Which files.
    pub selection: Selection,
    /// How often the folders are looked at as a whole, in case that the system missed something; 5 minutes
    /// unless said.
    pub look_again: Duration,
    /// Nothing is kept; what would be is told.
    pub dry_run: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(500),
            patience: Duration::from_secs(10),
            prefix: String::new(),
            selection: Selection::default(),
            look_again: Duration::from_secs(300),
            dry_run: false,
        }
    }
}
