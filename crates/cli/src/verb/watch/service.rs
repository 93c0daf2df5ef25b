//! `dalsegno watch service`: prints a unit for systemd.

use std::path::Path;

use clap::Args;
use dalsegno_config::Origin;
use serde_json::json;

use super::{Which, absolute};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{key, token};

/// Print a service of systemd that watches these folders
///
/// Nothing is installed. The service reads what you may read and writes the store's folder; it has no network and
/// no privileges, and is started again when it fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno watch service ~/bot/sessions | sudo tee /etc/systemd/system/dalsegno-watch.service")]
pub(super) struct Service {
    #[command(flatten)]
    which: Which,
}

impl Service {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        // What the service would refuse is refused here; it is told all, since it starts in another folder.
        let chosen = self.which.chosen()?;
        let settings = self.which.settings(&chosen, false)?;
        let engine = Place::open(global)?;
        let store = absolute(&engine.path().unwrap_or_default())?;
        let program =
            std::env::current_exe().map_err(|e| Failure::io("finding this program", e))?;
        let mut command = vec![program.display().to_string()];
        command.extend(["watch", "--json", "--store"].map(str::to_owned));
        command.push(store.display().to_string());
        if engine.is_encrypted() {
            command.extend(key_words()?);
        }
        if engine.has_principals()? {
            command.extend(token_words()?);
        }
        for (option, patterns) in [
            ("--include", &chosen.include.value),
            ("--exclude", &chosen.exclude.value),
        ] {
            command.extend(patterns.iter().map(|pattern| format!("{option}={pattern}")));
        }
        if !self.which.prefix.is_empty() {
            command.push(format!("--prefix={}", self.which.prefix));
        }
        command.push(format!("--settle={}ms", settings.settle.as_millis()));
        command.push("--".to_owned());
        let mut folders = Vec::new();
        for folder in &self.which.folders {
            let folder = absolute(folder)?;
            command.push(folder.display().to_string());
            folders.push(folder);
        }
        let unit = dalsegno_watch::unit(&dalsegno_watch::Service {
            command,
            folders,
            store: dalsegno::durable::folder_of(&store),
            user: rustix::process::geteuid().as_raw().to_string(),
        });
        if out.is_json() {
            return out.json(&json!({"unit": unit}));
        }
        out.bytes(unit.as_bytes())
    }
}

/// The options that name the key, for a program that has nothing of the environment here.
fn key_words() -> Result<Vec<String>> {
    let given = key::given()?;
    if let Some(file) = given.as_ref().and_then(key::Given::file) {
        return words("--key-file", file);
    }
    // The user's own configuration is the service's too.
    let origin = given
        .and_then(|given| given.source)
        .map(|source| source.origin);
    match origin {
        Some(Origin::User { .. }) => Ok(Vec::new()),
        _ => Err(Failure::usage(
            "the store is encrypted, and the service cannot be asked for its key: name the key's file with --key-file",
        )),
    }
}

/// The same of the token.
fn token_words() -> Result<Vec<String>> {
    let given = token::given()?;
    if let Some(file) = given.as_ref().and_then(token::Given::file) {
        return words("--token-file", file);
    }
    Err(Failure::usage(
        "the store asks who the service is: name the file of its token with --token-file",
    ))
}

fn words(option: &str, file: &Path) -> Result<Vec<String>> {
    let file = absolute(file)?;
    Ok(vec![option.to_owned(), file.display().to_string()])
}
