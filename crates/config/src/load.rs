//! Asking the layers in turn.

use std::path::PathBuf;

use dalsegno::{Error, ErrorKind, Result};
use toml::Spanned;

use crate::config::{AUTOSAVE_INTERVAL, Autosave, Config, WATCH_SETTLE, Watch};
use crate::guard::Guard;
use crate::hook::Hook;
use crate::layers::Layers;
use crate::left_out::{LeftOut, Refused};
use crate::origin::{Origin, Setting};
use crate::parse::{at, line, parse};
use crate::source::Source;
use crate::trust::Trust;
use crate::units;
use crate::values::Values;
use crate::watching::{FilePattern, watch_settle};

/// What was found: what holds, and what was left out of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// Hooks that are not run, and why.
    pub left_out: Vec<LeftOut>,
    /// The project's file, if there is one.
    pub project_file: Option<PathBuf>,
    /// The user's file, if there is one.
    pub user_file: Option<PathBuf>,
}

/// A file of a layer, read.
struct Layer {
    source: Source,
    values: Values,
    is_project: bool,
}

impl Layer {
    fn read(path: Option<PathBuf>, is_project: bool) -> Result<Option<Self>> {
        let Some(source) = path.map(|path| Source::read(&path)).transpose()?.flatten() else {
            return Ok(None);
        };
        let values = parse(&source)?;
        Ok(Some(Self {
            source,
            values,
            is_project,
        }))
    }

    fn origin(&self, line: usize) -> Origin {
        origin(self.is_project, self.source.found.clone(), line)
    }

    fn origin_of<T>(&self, value: &Spanned<T>) -> Origin {
        self.origin(line(&self.source, &value.span()))
    }
}

fn origin(is_project: bool, file: PathBuf, line: usize) -> Origin {
    if is_project {
        Origin::Project { file, line }
    } else {
        Origin::User { file, line }
    }
}

/// The layers of one process, strongest first.
struct Stack<'a> {
    layers: &'a Layers,
    files: Vec<Layer>,
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
    let (hooks, left_out) = stack.hooks()?;
    let config = Config {
        store: stack.store()?,
        actor: stack.choose(
            flags.actor.clone(),
            "DALSEGNO_ACTOR",
            |text| Ok(text.to_owned()),
            |values| values.actor.as_ref(),
            Clone::clone,
        )?,
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
    /// The first layer that says something.
    fn choose<T, V>(
        &self,
        flag: Option<T>,
        variable: &str,
        read: impl Fn(&str) -> Result<T>,
        key: impl Fn(&Values) -> Option<&Spanned<V>>,
        take: impl Fn(&V) -> T,
    ) -> Result<Option<Setting<T>>> {
        if let Some(value) = flag {
            return Ok(Some(Setting::new(value, Origin::Flag)));
        }
        let said = self.layers.variables.get(variable);
        // An empty variable is an unset one, as everywhere.
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            let text = said.to_str().ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, format!("{variable} is not UTF-8"))
            })?;
            let value = read(text).map_err(|e| e.context(variable))?;
            let variable = variable.to_owned();
            return Ok(Some(Setting::new(value, Origin::Environment { variable })));
        }
        Ok(self.first(key, take))
    }

    /// The first file that says something.
    fn first<T, V>(
        &self,
        key: impl Fn(&Values) -> Option<&Spanned<V>>,
        take: impl Fn(&V) -> T,
    ) -> Option<Setting<T>> {
        self.files.iter().find_map(|layer| {
            let value = key(&layer.values)?;
            Some(Setting::new(take(value.get_ref()), layer.origin_of(value)))
        })
    }

    fn listed(
        &self,
        flag: Option<Vec<String>>,
        key: impl Fn(&Values) -> Option<&Spanned<Vec<FilePattern>>>,
    ) -> Option<Setting<Vec<String>>> {
        match flag {
            Some(value) => Some(Setting::new(value, Origin::Flag)),
            None => self.first(key, |all| all.iter().map(|it| it.0.clone()).collect()),
        }
    }

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
        if let Some(exposure) = layer.source.exposure.filter(|e| e.to_anybody()) {
            let file = layer.source.found.display();
            let remedy = exposure.remedy(&layer.source.file);
            let message = format!(
                "{file} names the store, but {exposure}: {remedy}; or name the store with --store"
            );
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let folder = layer.source.folder();
        Ok(layer.values.store.as_ref().map(|path| {
            let origin = layer.origin_of(path);
            Setting::new(layers.path(path.get_ref(), folder), origin)
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
                    hook,
                    why: why.clone(),
                    remedy: remedy.clone(),
                })),
            }
        }
        Ok((hooks, left_out))
    }

    /// Why the hooks of a file are not run, and what to do.
    fn refused(&self, layer: &Layer) -> Option<(Refused, String)> {
        let source = &layer.source;
        if let Some(exposure) = source.exposure {
            return Some((Refused::Exposed(exposure), exposure.remedy(&source.file)));
        }
        if !layer.is_project {
            return None;
        }
        let file = source.found.display();
        let trust = match Trust::read(self.layers) {
            Ok(trust) => trust,
            Err(e) => {
                let remedy = "until then, no project's commands are run".to_owned();
                return Some((Refused::Unknown(e.to_string()), remedy));
            }
        };
        let look = |then: &str| format!("read it, then {then} with: dalsegno trust '{file}'");
        match (trust.knows(source), trust.knew(source)) {
            (true, _) => None,
            (false, true) => Some((Refused::Changed, look("trust it again"))),
            (false, false) => Some((Refused::Untrusted, look("trust it"))),
        }
    }
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
