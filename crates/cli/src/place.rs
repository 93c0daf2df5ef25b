//! Which store is meant, and opening it.

use std::path::{Path, PathBuf};

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::{Engine, ErrorKind, FILE_NAME, Options};
use dalsegno_config::{Loaded, Origin, Setting};
use etcetera::BaseStrategy;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::settings::configuration;
use crate::{hooked, key, migrations, program, token};

/// The folder of a store that belongs to the working directory.
pub(crate) const HERE: &str = ".dalsegno";

const VARIABLE: &str = "DALSEGNO_STORE";

/// The pattern that every session matches.
pub(crate) const EVERY: &str = "**";

/// What a watch guards unless somebody says otherwise: a chat's messages, and files that are a list themselves, as JSON
/// lines are.
const WATCHED_LISTS: [&str; 2] = ["messages", "."];

/// What named the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Flag,
    Environment,
    /// A file of configuration, and its line.
    File(String),
    Here,
    User,
}

impl Named {
    /// As `doctor` says it.
    pub(crate) fn by(&self) -> &str {
        match self {
            Self::Flag => "--store",
            Self::Environment => VARIABLE,
            Self::File(place) => place,
            Self::Here => ".dalsegno in the working directory",
            Self::User => "the user's data folder",
        }
    }
}

/// Where the store is, and what named it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) named: Named,
}

impl Place {
    /// The store that was asked for by option or environment, if one was.
    pub(crate) fn given(global: &Global) -> Option<Self> {
        if let Some(path) = &global.store {
            return Some(Self {
                path: path.clone(),
                named: Named::Flag,
            });
        }
        // An empty variable is an unset one, as everywhere.
        let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
        Some(Self {
            path: path.into(),
            named: Named::Environment,
        })
    }

    /// The store that was asked for by option or environment, or that the project's configuration names: where
    /// a new one is made.
    pub(crate) fn meant(global: &Global) -> Result<Option<Self>> {
        if let Some(given) = Self::given(global) {
            return Ok(Some(given));
        }
        Ok(Self::of_file(&configuration()?, true))
    }

    /// The store that a file of configuration names.
    fn of_file(loaded: &Loaded, is_project: bool) -> Option<Self> {
        let Setting { value, origin } = loaded.config.store.as_ref()?;
        let wanted = match origin {
            Origin::Project { .. } => is_project,
            Origin::User { .. } => !is_project,
            _ => false,
        };
        wanted.then(|| Self {
            path: value.clone(),
            named: Named::File(origin.to_string()),
        })
    }

    /// The store to work on.
    pub(crate) fn find(global: &Global) -> Result<Self> {
        if let Some(given) = Self::given(global) {
            return Ok(given);
        }
        let loaded = configuration()?;
        if let Some(of_project) = Self::of_file(&loaded, true) {
            return Ok(of_project);
        }
        if Path::new(HERE).join(FILE_NAME).exists() {
            return Ok(Self {
                path: HERE.into(),
                named: Named::Here,
            });
        }
        if let Some(of_user) = Self::of_file(&loaded, false) {
            return Ok(of_user);
        }
        let folders = etcetera::choose_base_strategy().map_err(|_| {
            Failure::usage("there is no .dalsegno here and no home folder: give --store PATH")
        })?;
        Ok(Self {
            path: folders.data_dir().join("dalsegno"),
            named: Named::User,
        })
    }

    /// Finds the store and opens it.
    pub(crate) fn open(global: &Global) -> Result<Engine> {
        Self::find(global)?.engine()
    }

    /// Finds the store and opens it, with the guards of the configuration: for what saves, and what asks about guards.
    pub(crate) fn open_guarded(global: &Global) -> Result<Engine> {
        let place = Self::find(global)?;
        place.open_with(Options::default().guards(guards()?))
    }

    /// As [`open_guarded`](Self::open_guarded), for a watch: where nobody says what is guarded, the lists that sessions mostly are
    /// made of are.
    /// Says as well whether that is so.
    pub(crate) fn open_watching(global: &Global) -> Result<(Engine, bool)> {
        let place = Self::find(global)?;
        let mut guards = guards()?;
        let stored = match key::open(of_caller(Options::default())?, &place.path)? {
            Ok(engine) => engine.guards().unwrap_or_default(),
            // It is said below.
            Err(_) => Vec::new(),
        };
        let adds = guards.iter().chain(&stored).all(|it| it.pattern != EVERY);
        if adds {
            let lists = WATCHED_LISTS.map(GuardRule::new).into_iter();
            guards.push(lists.fold(GuardPolicy::new(EVERY), GuardPolicy::list));
        }
        let engine = place.open_with(Options::default().guards(guards))?;
        Ok((engine, adds))
    }

    /// Opens the store.
    pub(crate) fn engine(&self) -> Result<Engine> {
        self.open_with(Options::default())
    }

    fn open_with(&self, options: Options) -> Result<Engine> {
        let opened = key::open(of_caller(options)?, &self.path)?;
        let engine = opened.map_err(|error| self.explain(error))?;
        hooked::listen(&engine);
        Ok(engine)
    }

    /// Says of a store that is not there how it was found, or would be.
    pub(crate) fn explain(&self, error: dalsegno::Error) -> Failure {
        if let (ErrorKind::NotFound, Named::File(file)) = (error.kind(), &self.named) {
            let error = error.context(format!("{file} names the store"));
            return error.into();
        }
        if error.kind() == ErrorKind::NotFound && self.named == Named::User {
            let path = self.path.display();
            let way = match program::name() {
                "dalsegno" => "make one with `dalsegno init`, or name one",
                _ => "give the bot's",
            };
            return Failure::new(
                ErrorKind::NotFound,
                format!(
                    "there is no store: neither {HERE}/ here nor {path} holds one; {way} with --store or \
                     {VARIABLE}"
                ),
            );
        }
        Failure::from(error)
    }
}

/// With the name and the migrations that the configuration has for this program, and the token that says who asks.
pub(crate) fn of_caller(options: Options) -> Result<Options> {
    let options = token::show(options)?;
    // What is wrong with the configuration is for the commands that use it, and `doctor`, to say.
    let Ok(loaded) = configuration() else {
        return Ok(options);
    };
    // Players have a shape of their own.
    let options = if program::name() == "dalsegno" {
        options.migrations(migrations::of(&loaded)?)
    } else {
        options
    };
    Ok(match loaded.config.actor {
        Some(actor) => options.program(actor.value),
        None => options,
    })
}

/// The guards of the configuration.
pub(crate) fn guards() -> Result<Vec<GuardPolicy>> {
    let guards = configuration()?.config.guards.into_iter();
    guards
        .map(|Setting { value, origin }| {
            let mut guard = GuardPolicy::new(value.sessions.pattern())
                .generations(value.generations)
                .max_age(value.max_age);
            guard.lists = value.lists;
            let checked = guard.check();
            checked.map_err(|error| error.context(origin.to_string()))?;
            Ok(guard)
        })
        .collect()
}

/// Refuses a store that can only be read, as a save would: for those that only rehearse one.
pub(crate) fn writable(engine: &Engine) -> Result<()> {
    if !engine.is_read_only() {
        return Ok(());
    }
    let path = engine.path().unwrap_or_default();
    let message = format!(
        "{} cannot be written: the file, its folder or the disk is read-only",
        path.display()
    );
    Err(Failure::new(ErrorKind::Denied, message))
}

/// Refuses the files of the store itself as a place to read from or write to: replacing them would
/// end it, and even opening and closing them drops SQLite's locks.
pub(crate) fn not_the_store(engine: &Engine, path: &Path) -> Result<()> {
    if engine.owns(path) {
        return Err(Failure::usage(format!(
            "{} belongs to the store itself; choose another file",
            path.display()
        )));
    }
    Ok(())
}
