//! How a new token gets to who is to have it: once, and no other way.

use std::path::PathBuf;

use clap::Args;
use dalsegno::{Engine, Token};
use serde_json::json;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;
use crate::place::not_the_store;
use crate::private::NewFile;
use crate::verb::put::close;

#[derive(Debug, Args)]
pub(super) struct Handing {
    /// Write the token to this new file, which only you can read, and not to standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Handing {
    /// Does what gives `name` a token, and hands it over; `said` is what was done.
    pub(super) fn run(
        &self,
        engine: Engine,
        (name, said): (&str, &str),
        make: impl FnOnce(&Engine) -> dalsegno::Result<Token>,
        out: &mut Out,
    ) -> Result<()> {
        let file = self.file(&engine)?;
        let token = make(&engine)?;
        out.did();
        close(engine, out);
        let lost = || {
            format!(
                "{said}; its token is lost: `dalsegno access token` makes another, and where nobody else may do that, \
                 `dalsegno access reset` begins anew"
            )
        };
        if let Some(file) = file {
            file.fill(token.to_text())
                .map_err(|failure| failure.after(&lost()))?;
        }
        let shown = self.shown();
        if out.is_json() {
            let mut answer = json!({"dry_run": false, "principal": name, "token_file": shown});
            if shown.is_none() {
                answer["token"] = json!(token.to_text());
            }
            return tell(&Zeroizing::new(answer.to_string()), lost, out);
        }
        if let Some(file) = shown {
            return out.line(format!("{said}; its token is in {}", human::safe(&file)));
        }
        out.note(format!("{said}; its token is shown this once:"));
        tell(token.to_text(), lost, out)
    }

    /// Looks whether it could be handed over.
    pub(super) fn rehearse(&self, engine: &Engine, said: &str, out: &mut Out) -> Result<()> {
        // It goes again at once.
        drop(self.file(engine)?);
        if out.is_json() {
            return out.json(&json!({"dry_run": true, "token_file": self.shown()}));
        }
        out.line(said)?;
        out.line("dry run: nothing was changed")
    }

    /// The new file, made before there is anything to write into it.
    fn file(&self, engine: &Engine) -> Result<Option<NewFile>> {
        let Some(path) = &self.to else {
            return Ok(None);
        };
        not_the_store(engine, path)?;
        NewFile::make(path).map(Some)
    }

    fn shown(&self) -> Option<String> {
        self.to.as_ref().map(|path| path.display().to_string())
    }
}

/// Tells the token. Where nobody hears it, it is lost, and that is said.
fn tell(text: &str, lost: impl Fn() -> String, out: &mut Out) -> Result<()> {
    out.secret(text, &lost)?;
    if out.is_closed() {
        return Err(Failure::partly(lost()));
    }
    Ok(())
}
