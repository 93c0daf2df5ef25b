//! Where players are kept, and what opens it.

use std::path::PathBuf;

use dalsegno::{Options, Result};
use dalsegno_sonora::guard;
use pyo3::prelude::*;

use crate::place;

/// A store, as Python names it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Stored {
    pub(super) path: PathBuf,
    key: Option<String>,
    key_file: Option<PathBuf>,
    token: Option<String>,
    token_file: Option<PathBuf>,
}

impl Stored {
    /// How it is opened for an app. It holds the interpreter's lock: nobody changes the environment meanwhile.
    pub(super) fn options(&self, _: Python<'_>, app: &str) -> Result<Options> {
        let options = Options::default()
            .program("sonora")
            .guards(vec![guard(app)?]);
        place::admitted(
            options,
            self.key.as_deref(),
            self.key_file.as_deref(),
            self.token.as_deref(),
            self.token_file.as_deref(),
        )
    }
}
