//! `dalsegno config …`: what holds, where it came from, and what is wrong with it.

use clap::{Args, Subcommand};
use dalsegno::Severity;
use dalsegno_config::{Finding, Flags, Layers, Loaded};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::settings::{self, configuration};
use crate::{human, style, table};

/// Show and check the configuration
///
/// An option comes before a variable of the environment, that before the project's dalsegno.toml (the nearest
/// one from the working directory up), that before the user's dalsegno/config.toml (in $XDG_CONFIG_HOME,
/// else ~/.config).
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Config {
    Show(Show),
    Check(Check),
    Path(Path),
}

/// Show each value, and where it came from
///
/// Hooks, migrations and a command for the key that are not run, because their file is not trusted, are named on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno config show
  dalsegno config show --json")]
pub(crate) struct Show {}

/// Look for what is wrong
///
/// A file that cannot be understood ends it with exit code 2. Exit code 1 if something will not work; warnings
/// alone give 0. Nothing is run, and no address is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno config check")]
pub(crate) struct Check {}

/// Print which files are looked at
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno config path")]
pub(crate) struct Path {}

impl Config {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Show(_) => show(global, out),
            Self::Check(_) => check(out),
            Self::Path(_) => path(out),
        }
    }
}

fn show(global: &Global, out: &mut Out) -> Result<()> {
    let mut layers = settings::layers();
    layers.flags.store.clone_from(&global.store);
    let loaded = dalsegno_config::Config::load(&layers)?;
    let shown = loaded.shown();
    if out.is_json() {
        let left_out: Vec<_> = loaded
            .left_out
            .iter()
            .map(|left_out| {
                let what = left_out.role.as_str();
                let (title, origin) = (&left_out.title, &left_out.origin);
                json!({what: title, "origin": origin, "message": left_out.to_string()})
            })
            .collect();
        return out.json(&json!({
            "project_file": loaded.project_file,
            "user_file": loaded.user_file,
            "settings": shown,
            "left_out": left_out,
        }));
    }
    let rows = shown.iter().map(|shown| {
        let value = shown.value.as_deref().map(human::safe);
        let origin = human::safe(&shown.origin.to_string());
        vec![human::safe(&shown.key), value.unwrap_or_default(), origin]
    });
    let mut lines = table::lay_out(&["KEY", "VALUE", "FROM"], rows.collect()).into_iter();
    if let Some(head) = lines.next() {
        out.line(style::head(head))?;
    }
    for line in lines {
        out.line(line)?;
    }
    for left_out in &loaded.left_out {
        out.note(human::safe(&left_out.to_string()));
    }
    Ok(())
}

fn check(out: &mut Out) -> Result<()> {
    let loaded = configuration()?;
    let findings = loaded.check();
    if out.is_json() {
        let mut files = files(&Ok(loaded));
        if let Some(files) = files.as_object_mut() {
            files.insert("findings".to_owned(), json!(findings));
        }
        out.json(&files)?;
    } else if findings.is_empty() {
        let read = [&loaded.project_file, &loaded.user_file]
            .into_iter()
            .flatten();
        let read: Vec<_> = read
            .map(|f| human::safe(&f.display().to_string()))
            .collect();
        out.line(if read.is_empty() {
            "there is no configuration: `dalsegno config path` says where it would be".to_owned()
        } else {
            format!("{}: {}", style::good("nothing is wrong"), read.join(", "))
        })?;
    } else {
        for finding in &findings {
            tell(finding.severity, &finding.message, &finding.remedy, out)?;
        }
    }
    refuse_problems(findings.iter().map(|finding| finding.severity))
}

fn path(out: &mut Out) -> Result<()> {
    let layers = Layers::of_process(Flags::default());
    let files = [
        ("project", layers.project_file()),
        ("user", layers.user_file()),
        ("trusted", layers.trust_file()),
    ];
    if out.is_json() {
        let object = files.map(|(name, file)| {
            let there = file.as_ref().is_some_and(|file| file.exists());
            (name.to_owned(), json!({"path": file, "exists": there}))
        });
        return out.json(&Value::Object(object.into_iter().collect()));
    }
    let rows = files.map(|(name, file)| {
        let shown = file
            .as_ref()
            .map(|file| human::safe(&file.display().to_string()));
        let there = match &file {
            None if name == "project" => "no dalsegno.toml here or above",
            None => "no home folder",
            Some(file) if file.exists() => "",
            Some(_) => "not there",
        };
        vec![name.to_owned(), shown.unwrap_or_default(), there.to_owned()]
    });
    let mut lines = table::lay_out(&["", "", ""], rows.into()).into_iter();
    lines.try_for_each(|line| out.line(line))
}

/// What is wrong with the configuration, be it that it cannot be read.
pub(crate) fn findings(configuration: &Result<Loaded>) -> Vec<Finding> {
    match configuration {
        Ok(loaded) => loaded.check(),
        Err(failure) => vec![Finding::unreadable(failure.message())],
    }
}

/// The files of the configuration, as JSON.
pub(crate) fn files(configuration: &Result<Loaded>) -> Value {
    match configuration {
        Ok(loaded) => json!({"project_file": loaded.project_file, "user_file": loaded.user_file}),
        Err(_) => Value::Null,
    }
}

/// Tells one finding.
pub(crate) fn tell(severity: Severity, message: &str, remedy: &str, out: &mut Out) -> Result<()> {
    let severity = match severity {
        Severity::Warning => style::head("warning"),
        Severity::Problem => style::bad("problem"),
    };
    out.line(format!("{severity}: {}", human::safe(message)))?;
    out.line(format!("  remedy: {}", human::safe(remedy)))
}

/// Fails where one is a problem.
pub(crate) fn refuse_problems(severities: impl Iterator<Item = Severity>) -> Result<()> {
    let problems = severities.filter(|severity| *severity == Severity::Problem);
    match u64::try_from(problems.count()).unwrap_or(u64::MAX) {
        0 => Ok(()),
        some => Err(Failure::problem(format!(
            "found {}",
            human::count(some, "problem")
        ))),
    }
}
