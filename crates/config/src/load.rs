//! Asking the layers in turn.

use std::path::PathBuf;

use dalsegno::{Error, ErrorKind, Result};

use crate::config::{AUTOSAVE_INTERVAL, Autosave, Config, WATCH_SETTLE, Watch};
use crate::guard::Guard;
use crate::hook::Hook;
use crate::key::{self, KeySource};
use crate::layers::Layers;
use crate::left_out::{LeftOut, Role};
use crate::migration::{self, Migration};
use crate::origin::{Origin, Setting};
use crate::parse::{at, line};
use crate::source::Source;
use crate::stack::{Layer, Stack, origin};
use crate::token::TokenSource;
use crate::units;
use crate::values::Values;
use crate::watching::watch_settle;

/// What was found: what holds, and what was left out of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// Hooks and migrations that are not run, and the key's command where it is not, and why.
    pub left_out: Vec<LeftOut>,
    /// The project's file, if there is one.
    pub project_file: Option<PathBuf>,
    /// The user's file, if there is one.
    pub user_file: Option<PathBuf>,
}

pub(crate) fn load(layers: &Layers) -> Result<Loaded> {
    let project = Layer::read(layers.project_file(), true)?;
    let user = Layer::read(layers.user_file(), false)?;
    let found = |layer: &Option<Layer>| layer.as_ref().map(|l| l.source.found.clone());
    let (project_file, user_file) = (found(&project), found(&user));
    let files = project.into_iter().chain(user).collect();
    let stack = Stack { layers, files };
    let flags = &layers.flags;
    let none = Vec::new;
    let (hooks, mut left_out) = stack.hooks()?;
    let key = stack.key(&mut left_out)?;
    let migrations = stack.migrations(&mut left_out)?;
    let config = Config {
        store: stack.store()?,
        actor: stack.choose(
            flags.actor.clone(),
            "DALSEGNO_ACTOR",
            |text| Ok(text.to_owned()),
            |values| values.actor.as_ref(),
            Clone::clone,
        )?,
        key,
        token: stack.token()?,
        autosave: Autosave {
            interval: stack
                .choose(
                    flags.interval,
                    "DALSEGNO_AUTOSAVE_INTERVAL",
                    units::time,
                    |values| values.autosave.interval.as_ref(),
                    |time| time.0,
                )?
                .unwrap_or(Setting::new(AUTOSAVE_INTERVAL, Origin::Default)),
            jitter: stack
                .choose(
                    flags.jitter,
                    "DALSEGNO_AUTOSAVE_JITTER",
                    units::part,
                    |values| values.autosave.jitter.as_ref(),
                    |part| part.0,
                )?
                .unwrap_or(Setting::new(0.0, Origin::Default)),
            min_change: stack
                .choose(
                    flags.min_change,
                    "DALSEGNO_AUTOSAVE_MIN_CHANGE",
                    units::size,
                    |values| values.autosave.min_change.as_ref(),
                    |size| size.0,
                )?
                .unwrap_or(Setting::new(0, Origin::Default)),
        },
        watch: Watch {
            settle: stack
                .choose(
                    flags.settle,
                    "DALSEGNO_WATCH_SETTLE",
                    watch_settle,
                    |values| values.watch.settle.as_ref(),
                    |settle| settle.0,
                )?
                .unwrap_or(Setting::new(WATCH_SETTLE, Origin::Default)),
            include: stack
                .listed(flags.include.clone(), |v| v.watch.include.as_ref())
                .unwrap_or_else(|| Setting::new(none(), Origin::Default)),
            exclude: stack
                .listed(flags.exclude.clone(), |v| v.watch.exclude.as_ref())
                .unwrap_or_else(|| Setting::new(none(), Origin::Default)),
        },
        guards: stack.guards()?,
        hooks,
        migrations,
    };
    if config.autosave.interval.value.is_zero() {
        let origin = &config.autosave.interval.origin;
        let message =
            format!("{origin}: autosave.interval is no time at all; write 30s or 5 minutes");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(Loaded {
        config,
        left_out,
        project_file,
        user_file,
    })
}

impl Stack<'_> {
    /// The store; a path in a file is relative to the file's folder.
    fn store(&self) -> Result<Option<Setting<PathBuf>>> {
        let layers = self.layers;
        if let Some(path) = &layers.flags.store {
            return Ok(Some(Setting::new(path.clone(), Origin::Flag)));
        }
        let variable = "DALSEGNO_STORE";
        if let Some(path) = layers
            .variables
            .get(variable)
            .filter(|path| !path.is_empty())
        {
            let variable = variable.to_owned();
            return Ok(Some(Setting::new(
                path.into(),
                Origin::Environment { variable },
            )));
        }
        let says = |layer: &&Layer| layer.values.store.is_some();
        let Some(layer) = self.files.iter().find(says) else {
            return Ok(None);
        };
        // States would go where somebody else reads them, or come from where somebody else put them.
        refuse_exposed(layer, "the store", "--store")?;
        let folder = layer.source.folder();
        Ok(layer.values.store.as_ref().map(|path| {
            let origin = layer.origin_of(path);
            Setting::new(layers.path(path.get_ref(), folder), origin)
        }))
    }

    /// Where the key comes from: the first layer that says so and may.
    fn key(&self, left_out: &mut Vec<LeftOut>) -> Result<Option<Setting<KeySource>>> {
        if let Some(given) = self.layers.given_key()? {
            return Ok(Some(given));
        }
        for layer in &self.files {
            let Some((source, at)) = key::of_file(self.layers, &layer.source, &layer.values)?
            else {
                continue;
            };
            let origin = layer.origin(at);
            match (&source, self.refused(layer)) {
                (KeySource::File(_), _) => refuse_exposed(layer, "the key's file", "--key-file")?,
                (_, None) => {}
                (_, Some((why, remedy))) => {
                    left_out.push(LeftOut {
                        title: source.to_string(),
                        origin,
                        role: Role::Key,
                        why,
                        remedy,
                    });
                    continue;
                }
            }
            return Ok(Some(Setting::new(source, origin)));
        }
        Ok(None)
    }

    /// Where the token comes from: the first layer that says so.
    fn token(&self) -> Result<Option<Setting<TokenSource>>> {
        if let Some(given) = self.layers.given_token() {
            return Ok(Some(given));
        }
        let says = |layer: &&Layer| layer.values.access.token_file.is_some();
        let Some(layer) = self.files.iter().find(says) else {
            return Ok(None);
        };
        // What is done would be done in somebody else's name.
        refuse_exposed(layer, "the token's file", "--token-file")?;
        let folder = layer.source.folder();
        Ok(layer.values.access.token_file.as_ref().map(|path| {
            let file = self.layers.path(path.get_ref(), folder);
            Setting::new(TokenSource::File(file), layer.origin_of(path))
        }))
    }

    fn guards(&self) -> Result<Vec<Setting<Guard>>> {
        let mut guards: Vec<Setting<Guard>> = Vec::new();
        for layer in &self.files {
            for (pattern, values) in &layer.values.guard {
                let guard = Guard::new(pattern, values.get_ref())
                    .map_err(|e| at(&layer.source, Some(values.span()), &format!("guard: {e}")))?;
                if guards
                    .iter()
                    .all(|known| known.value.sessions != guard.sessions)
                {
                    guards.push(Setting::new(guard, layer.origin_of(values)));
                }
            }
        }
        Ok(guards)
    }

    fn hooks(&self) -> Result<(Vec<Hook>, Vec<LeftOut>)> {
        let (mut hooks, mut left_out) = (Vec::new(), Vec::new());
        // The user's first.
        for layer in self.files.iter().rev() {
            let found = hooks_of(&layer.source, &layer.values, |file, line| {
                origin(layer.is_project, file, line)
            })?;
            if found.is_empty() {
                continue;
            }
            match self.refused(layer) {
                None => hooks.extend(found),
                Some((why, remedy)) => left_out.extend(found.into_iter().map(|hook| LeftOut {
                    title: hook.title(),
                    origin: hook.origin,
                    role: Role::Hook,
                    why: why.clone(),
                    remedy: remedy.clone(),
                })),
            }
        }
        Ok((hooks, left_out))
    }

    /// The steps of all files that may name commands.
    fn migrations(&self, left_out: &mut Vec<LeftOut>) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for layer in self.files.iter().rev() {
            let found = migrations_of(&layer.source, &layer.values, |file, line| {
                origin(layer.is_project, file, line)
            })?;
            if found.is_empty() {
                continue;
            }
            match self.refused(layer) {
                None => migrations.extend(found),
                Some((why, remedy)) => left_out.extend(found.into_iter().map(|it| LeftOut {
                    title: it.title(),
                    origin: it.origin,
                    role: Role::Migration,
                    why: why.clone(),
                    remedy: remedy.clone(),
                })),
            }
        }
        migration::check(&migrations).map_err(|e| e.context("the configuration"))?;
        Ok(migrations)
    }
}

/// A file that anybody could have written names no file to work with.
fn refuse_exposed(layer: &Layer, what: &str, option: &str) -> Result<()> {
    let Some(exposure) = layer.source.exposure.filter(|e| e.to_anybody()) else {
        return Ok(());
    };
    let file = layer.source.found.display();
    let remedy = exposure.remedy(&layer.source.file);
    let message =
        format!("{file} names {what}, but {exposure}: {remedy}; or name {what} with {option}");
    Err(Error::new(ErrorKind::Denied, message))
}

/// The hooks of a file, whether or not they are run.
pub(crate) fn hooks_of(
    source: &Source,
    values: &Values,
    origin: impl Fn(PathBuf, usize) -> Origin,
) -> Result<Vec<Hook>> {
    let hooks = values.hook.iter();
    hooks
        .map(|values| {
            let span = values.span();
            let origin = origin(source.found.clone(), line(source, &span));
            Hook::new(values.get_ref(), source.folder(), origin)
                .map_err(|e| at(source, Some(span), &format!("hook: {e}")))
        })
        .collect()
}

/// The migrations of a file, whether or not they are run.
pub(crate) fn migrations_of(
    source: &Source,
    values: &Values,
    origin: impl Fn(PathBuf, usize) -> Origin,
) -> Result<Vec<Migration>> {
    let migrations = values.migration.iter();
    migrations
        .map(|values| {
            let span = values.span();
            let origin = origin(source.found.clone(), line(source, &span));
            Migration::new(values.get_ref(), source.folder(), origin)
                .map_err(|e| at(source, Some(span), &format!("migration: {e}")))
        })
        .collect()
}
