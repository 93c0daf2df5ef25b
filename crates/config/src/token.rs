//! Where the token comes from by which a program says who it is. Nothing is read here.

use std::path::PathBuf;

use crate::layers::Layers;
use crate::origin::{Origin, Setting};

const FILE: &str = "DALSEGNO_TOKEN_FILE";

/// The variable that holds the token itself.
pub(crate) const TOKEN: &str = "DALSEGNO_TOKEN";

/// Where the token of a principal comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// A file holds it.
    File(PathBuf),
    /// `DALSEGNO_TOKEN` holds it.
    Variable,
}

impl Layers {
    /// Where options and variables say that the token comes from, if they do; files are asked after them.
    #[must_use]
    pub fn given_token(&self) -> Option<Setting<TokenSource>> {
        if let Some(path) = &self.flags.token_file {
            let source = TokenSource::File(path.clone());
            return Some(Setting::new(source, Origin::Flag));
        }
        // An empty variable is an unset one, as everywhere.
        let said = |name: &str| self.variables.get(name).filter(|said| !said.is_empty());
        let of = |source, variable: &str| {
            let variable = variable.to_owned();
            Setting::new(source, Origin::Environment { variable })
        };
        if let Some(path) = said(FILE) {
            return Some(of(TokenSource::File(path.into()), FILE));
        }
        said(TOKEN).map(|_| of(TokenSource::Variable, TOKEN))
    }
}
