//! The options that every verb has: the store, the node, the bot's name in the store.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, ErrorKind, check_session_name};
use dalsegno_sonora::lavalink::{Address, Password};

use super::guilds::Guilds;
use super::source::no_file;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::settings;
use crate::verb::put::again;

/// The variable that holds the node's password.
const PASSWORD: &str = "SONORA_PASSWORD";

/// What a node's password is where nobody set one.
const USUAL: &str = "youshallnotpass";

/// The options of every verb.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("store", |store| store.long_help(STORE)))]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) global: Global,
    /// The file of configuration, in the place of the dalsegno.toml that is found here or above
    #[arg(long, global = true, value_name = "FILE", display_order = 103)]
    config: Option<PathBuf>,
    /// What the bot's sessions begin with: those of `sonora` are sonora/GUILD
    ///
    /// Without it, the environment's SONORA_APP, else sonora.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        value_parser = app,
        display_order = 104
    )]
    app: Option<String>,
    /// What is said beside the answers: remarks, or warnings and errors only
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        value_enum,
        ignore_case = true,
        default_value_t,
        display_order = 105
    )]
    log_level: Level,
    /// The Lavalink node's host
    ///
    /// Without it, the environment's SONORA_HOST, else 127.0.0.1.
    #[arg(
        long,
        global = true,
        value_name = "HOST",
        help_heading = "Node",
        display_order = 110
    )]
    host: Option<String>,
    /// Its port
    ///
    /// Without it, the environment's SONORA_PORT, else 2333.
    #[arg(
        long,
        global = true,
        value_name = "PORT",
        help_heading = "Node",
        display_order = 111
    )]
    port: Option<u16>,
    /// The file whose first line is its password
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Node",
        display_order = 112
    )]
    password_file: Option<PathBuf>,
    /// Its password, which others on this machine can then see: rather use --password-file
    ///
    /// The arguments of a program are shown to everybody by `ps`, and stay in the shell's history. Use
    /// --password-file, or set SONORA_PASSWORD. Without any of them it is what a node has where nobody set one.
    #[arg(
        long,
        global = true,
        value_name = "PASSWORD",
        conflicts_with = "password_file",
        help_heading = "Node",
        display_order = 113
    )]
    password: Option<String>,
    /// Speak to it through TLS
    #[arg(long, global = true, help_heading = "Node", display_order = 114)]
    tls: bool,
}

/// How much is said beside the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Level {
    /// As info
    Debug,
    /// Remarks too
    #[default]
    Info,
    /// Only what is wrong
    #[value(alias = "warn")]
    Warning,
    /// As warning
    #[value(alias = "critical")]
    Error,
}

const STORE: &str = "\
The store: a file, or a folder that holds store.db

Without it, the environment's DALSEGNO_STORE, else what the project's dalsegno.toml says, else .dalsegno/ here if it \
holds a store, else what the user's configuration says, else dalsegno/ in the user's data folder. It is the one that \
the bot was given.";

/// For clap.
fn app(text: &str) -> dalsegno::Result<String> {
    check_session_name(text).map(|()| text.to_owned())
}

/// What the environment says, read only where it is needed: a verb that asks no node does not stop for its port. An empty
/// variable is an unset one, as everywhere.
fn of_environment<T, E: std::fmt::Display>(
    name: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    read(&value).map(Some).map_err(|why| {
        let value = value.escape_debug();
        Failure::usage(format!(
            "the environment variable {name} is '{value}': {why}"
        ))
    })
}

impl Options {
    /// What holds for the whole program.
    pub(super) fn settle(&self, out: &mut Out) -> Result<()> {
        if matches!(self.log_level, Level::Warning | Level::Error) {
            out.hush();
        }
        settings::unlock(&self.global);
        self.config.as_deref().map_or(Ok(()), settings::configure)
    }

    /// Opens the store.
    pub(super) fn engine(&self) -> Result<Engine> {
        Place::open(&self.global)
    }

    /// Opens the store. Where there is none and `name` is a file, which needs none, it is an empty one, and why.
    pub(super) fn engine_or_file(&self, name: &str) -> Result<(Engine, Option<Failure>)> {
        match self.engine() {
            Err(failure) if failure.is_of(ErrorKind::NotFound) => {
                if !Path::new(name).exists() {
                    return Err(no_file(failure, name));
                }
                let empty = MemoryStore::new(&SystemClock);
                let engine = dalsegno::Options::default().on(Arc::new(empty));
                Ok((engine, Some(failure)))
            }
            engine => Ok((engine?, None)),
        }
    }

    /// The command that takes back what was restored into a session: a running bot is asked for it.
    pub(super) fn undo(&self, engine: &Engine, session: &str) -> String {
        let mut global = self.global.clone();
        if self.config.is_some() {
            // The other command would find another store.
            global.store = engine.path();
        }
        again("undo", &["--ask"], session, &global)
    }

    /// The players of the store.
    pub(super) fn guilds<'a>(&self, engine: &'a Engine) -> Result<Guilds<'a>> {
        let app = match &self.app {
            Some(app) => app.clone(),
            None => of_environment("SONORA_APP", app)?.unwrap_or_else(|| "sonora".to_owned()),
        };
        Ok(Guilds { engine, app })
    }

    /// The node.
    pub(super) fn node(&self) -> Result<Address> {
        let password = match (&self.password, &self.password_file) {
            (Some(password), _) => Password::new(password),
            (None, Some(file)) => Password::from_file(file)?,
            (None, None) => match Password::from_environment(PASSWORD) {
                Err(error) if error.kind() == ErrorKind::NotFound => Password::new(USUAL),
                password => password?,
            },
        };
        let host = match &self.host {
            Some(host) => host.clone(),
            None => {
                let host = |host: &str| Ok::<_, Infallible>(host.to_owned());
                of_environment("SONORA_HOST", host)?.unwrap_or_else(|| "127.0.0.1".to_owned())
            }
        };
        let port = match self.port {
            Some(port) => port,
            None => {
                let port = |port: &str| {
                    let port = port.parse::<u16>();
                    port.map_err(|_| "a port is a number from 1 to 65535")
                };
                of_environment("SONORA_PORT", port)?.unwrap_or(2333)
            }
        };
        Ok(Address::new(host, port, password).secure(self.tls))
    }
}
