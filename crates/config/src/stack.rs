//! The layers of one process: the first that says something is the one that holds.

use std::path::PathBuf;

use dalsegno::{Error, ErrorKind, Result};
use toml::Spanned;

use crate::layers::Layers;
use crate::left_out::Refused;
use crate::origin::{Origin, Setting};
use crate::parse::{line, parse};
use crate::source::Source;
use crate::trust::Trust;
use crate::values::Values;
use crate::watching::FilePattern;

/// A file of a layer, read.
pub(crate) struct Layer {
    pub(crate) source: Source,
    pub(crate) values: Values,
    pub(crate) is_project: bool,
}

impl Layer {
    pub(crate) fn read(path: Option<PathBuf>, is_project: bool) -> Result<Option<Self>> {
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

    pub(crate) fn origin(&self, line: usize) -> Origin {
        origin(self.is_project, self.source.found.clone(), line)
    }

    pub(crate) fn origin_of<T>(&self, value: &Spanned<T>) -> Origin {
        self.origin(line(&self.source, &value.span()))
    }
}

pub(crate) fn origin(is_project: bool, file: PathBuf, line: usize) -> Origin {
    if is_project {
        Origin::Project { file, line }
    } else {
        Origin::User { file, line }
    }
}

/// The layers of one process, strongest first.
pub(crate) struct Stack<'a> {
    pub(crate) layers: &'a Layers,
    pub(crate) files: Vec<Layer>,
}

impl Stack<'_> {
    /// The first layer that says something.
    pub(crate) fn choose<T, V>(
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
    pub(crate) fn first<T, V>(
        &self,
        key: impl Fn(&Values) -> Option<&Spanned<V>>,
        take: impl Fn(&V) -> T,
    ) -> Option<Setting<T>> {
        self.files.iter().find_map(|layer| {
            let value = key(&layer.values)?;
            Some(Setting::new(take(value.get_ref()), layer.origin_of(value)))
        })
    }

    pub(crate) fn listed(
        &self,
        flag: Option<Vec<String>>,
        key: impl Fn(&Values) -> Option<&Spanned<Vec<FilePattern>>>,
    ) -> Option<Setting<Vec<String>>> {
        match flag {
            Some(value) => Some(Setting::new(value, Origin::Flag)),
            None => self.first(key, |all| all.iter().map(|it| it.0.clone()).collect()),
        }
    }

    /// Why the commands of a file are not run, and what to do.
    pub(crate) fn refused(&self, layer: &Layer) -> Option<(Refused, String)> {
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
