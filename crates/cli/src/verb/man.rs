//! `dalsegno man`: manual pages, made from what `--help` says.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{args, human, program};

/// Print the manual page, or write a page for each verb
///
/// Without --output the main page is printed. With it, a page for each verb is written into the
/// folder, which is made where it is missing: dalsegno.1, dalsegno-snapshot-save.1 and so on. Pages
/// that are there are replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno man | man -l -
  dalsegno man --output ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, out: &mut Out) -> Result<()> {
        write(args::visible(), self.output.as_deref(), out)
    }
}

/// Prints the page of a program, or writes those of all its verbs into a folder.
pub(crate) fn write(mut main: Command, folder: Option<&Path>, out: &mut Out) -> Result<()> {
    main.build();
    let Some(folder) = folder else {
        if out.is_json() {
            let message = "a page is no JSON: leave --json away, or give --output DIR";
            return Err(Failure::usage(message));
        }
        return out.bytes(&page(&main, program::name())?);
    };
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e| Failure::io(format!("writing {path}"), e)
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut pages = Vec::new();
    collect(&main, program::name(), &mut pages)?;
    let mut written = Vec::with_capacity(pages.len());
    for (name, text) in pages {
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, text).map_err(failed(&path))?;
        written.push(path.display().to_string());
    }
    out.did();
    if out.is_json() {
        return out.json(&json!({"pages": written}));
    }
    let count = human::count(u64::try_from(written.len()).unwrap_or(u64::MAX), "page");
    let folder = human::safe(&folder.display().to_string());
    out.line(format!("wrote {count} to {folder}"))
}

/// The pages of a command and of those below it, by the names of their files.
fn collect(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    pages.push((name.to_owned(), page(command, name)?));
    for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        collect(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>> {
    let failed = |e| Failure::io("writing the page", e);
    let page = Page::new(command.clone())
        .title(name)
        .source(format!("{} {}", program::name(), env!("CARGO_PKG_VERSION")))
        .manual("Dalsegno");
    let mut text = Vec::new();
    page.render_title(&mut text)
        .and_then(|()| page.render_name_section(&mut text))
        .and_then(|()| page.render_synopsis_section(&mut text))
        .and_then(|()| page.render_description_section(&mut text))
        .and_then(|()| page.render_options_section(&mut text))
        .map_err(failed)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text).map_err(failed)?;
    }
    if let Some(after) = command.get_after_help() {
        notes(&after.to_string())
            .to_writer(&mut text)
            .map_err(failed)?;
    }
    Ok(text)
}

/// What stands below the options: examples, or how things are written. Its lines stay as they are.
fn notes(text: &str) -> Roff {
    let (title, text) = match text.strip_prefix("Examples:\n") {
        Some(examples) => ("EXAMPLES", examples),
        None => ("NOTES", text),
    };
    let mut notes = Roff::new();
    notes.control("SH", [title]).control("nf", []);
    for line in text.lines() {
        notes.text([roman(line)]);
    }
    notes.control("fi", []);
    notes
}
