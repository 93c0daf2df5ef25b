//! The key to come: in a file, or a passphrase.

use std::path::PathBuf;

use clap::Args;
use dalsegno::{Engine, Secret};
use serde_json::{Value, json};

use super::generate;
use crate::failure::{Failure, Result};
use crate::{human, key, place};

/// The variable that holds the key or passphrase to come.
const VARIABLE: &str = "DALSEGNO_NEW_KEY";

/// The options of verbs that are given a new key.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The file with the new key; where it is not there, it is made as by `key generate`
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase")]
    new_key_file: Option<PathBuf>,
    /// Ask for a new passphrase, twice; it is that in DALSEGNO_NEW_KEY where that is set
    #[arg(long)]
    new_passphrase: bool,
    /// What the new key is called in `key list`
    #[arg(long, value_name = "TEXT")]
    pub(super) label: Option<String>,
}

impl New {
    /// Whether it is known, or can be asked for, without making anything.
    pub(super) fn is_there(&self) -> bool {
        self.new_key_file.as_ref().is_none_or(|file| file.exists())
    }

    /// Refuses what could not become a key, before anything is made or asked.
    pub(super) fn check(&self) -> Result<()> {
        let is_said = self.new_key_file.is_some() || is_set();
        if !is_said && !self.new_passphrase {
            return Err(Failure::usage(format!(
                "which key? give --new-key-file FILE or --new-passphrase, or set {VARIABLE}"
            )));
        }
        if !is_said && !key::is_at_terminal() {
            return Err(Failure::usage(format!(
                "there is no terminal to ask for a passphrase at: set {VARIABLE}"
            )));
        }
        Ok(())
    }

    /// Refuses the files of the store itself.
    pub(super) fn not_of(&self, engine: &Engine) -> Result<()> {
        let file = self.new_key_file.as_deref();
        file.map_or(Ok(()), |file| place::not_the_store(engine, file))
    }

    /// What can be known of it without making or asking anything, for a rehearsal.
    pub(super) fn known(&self) -> Result<Option<Secret>> {
        self.check()?;
        match &self.new_key_file {
            Some(file) if file.exists() => Ok(Some(Secret::from_file(file)?)),
            Some(_) => Ok(None),
            None => key::variable(VARIABLE),
        }
    }

    /// The secret; its file is made, or somebody is asked.
    pub(super) fn secret(&self) -> Result<Secret> {
        self.check()?;
        if let Some(file) = &self.new_key_file {
            return if file.exists() {
                Ok(Secret::from_file(file)?)
            } else {
                generate::make(file)
            };
        }
        if let Some(secret) = key::variable(VARIABLE)? {
            return Ok(secret);
        }
        key::ask_twice()
    }

    /// What it is, in a few words.
    pub(super) fn title(&self) -> String {
        match &self.new_key_file {
            Some(file) => format!("the key in {}", human::safe(&file.display().to_string())),
            None if is_set() => format!("what {VARIABLE} holds"),
            None => "the passphrase".to_owned(),
        }
    }

    /// Its file, as JSON.
    pub(super) fn file(&self) -> Value {
        json!(
            self.new_key_file
                .as_ref()
                .map(|file| file.display().to_string())
        )
    }
}

fn is_set() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|text| !text.is_empty())
}
