//! What is wrong with a configuration that can be read.

use std::env;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use http::Uri;

use crate::finding::Finding;
use crate::hook::{Action, EVENTS, Hook, Secret};
use crate::key::KeySource;
use crate::load::Loaded;
use crate::origin::{Origin, Setting};
use crate::token::TokenSource;

impl Loaded {
    /// Looks for what will not work or is in danger. Programs and secrets are looked for; nothing is run,
    /// and no address is asked.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self
            .left_out
            .iter()
            .map(|left_out| {
                let said = left_out.to_string();
                let message = said.strip_suffix(&format!("; {}", left_out.remedy));
                Finding::warning(message.unwrap_or(&said), left_out.remedy.clone())
            })
            .collect();
        if let Some(Setting { value, origin }) = &self.config.key {
            findings.extend(check_key(value, origin));
        }
        if let Some(Setting { value, origin }) = &self.config.token {
            findings.extend(check_token(value, origin));
        }
        for hook in &self.config.hooks {
            let origin = &hook.origin;
            for word in hook.events.iter().filter(|word| *word != "*") {
                if !EVENTS.contains(&word.as_str()) {
                    findings.push(Finding::warning(
                        format!("{origin}: no event is called '{}'", word.escape_debug()),
                        format!("choose from {}, or \"*\" for all", EVENTS.join(", ")),
                    ));
                }
            }
            findings.extend(check(hook));
        }
        let migrations = self.config.migrations.iter();
        findings.extend(migrations.filter_map(|it| check_program(&it.program()?, &it.origin)));
        findings
    }
}

fn check(hook: &Hook) -> Option<Finding> {
    let origin = &hook.origin;
    match &hook.action {
        Action::Command(_) => check_program(&hook.program()?, origin),
        Action::Webhook { url, secret } => secret
            .as_ref()
            .and_then(|secret| check_secret(secret, origin))
            .or_else(|| {
                is_in_the_open(url).then(|| {
                    Finding::warning(
                        format!("{origin}: {} is not encrypted on its way", hook.title()),
                        "use https",
                    )
                })
            }),
    }
}

fn check_program(program: &Path, origin: &Origin) -> Option<Finding> {
    if is_found(program) {
        return None;
    }
    Some(Finding::problem(
        format!("{origin}: there is no program {}", program.display()),
        "install it, give its whole path, or make it executable",
    ))
}

fn check_key(key: &KeySource, origin: &Origin) -> Option<Finding> {
    let KeySource::File(file) = key else {
        return None;
    };
    let without = "without it, no encrypted store is opened";
    check_private(file, "key", without, origin)
}

fn check_token(token: &TokenSource, origin: &Origin) -> Option<Finding> {
    let TokenSource::File(file) = token else {
        return None;
    };
    let without = "without it, no store that asks who you are lets you in";
    check_private(file, "token", without, origin)
}

fn check_private(file: &Path, what: &str, without: &str, origin: &Origin) -> Option<Finding> {
    let shown = file.display();
    match fs::metadata(file) {
        Err(_) => Some(Finding::problem(
            format!("{origin}: the file {shown} with the {what} cannot be found"),
            format!("name the file that has it: {without}"),
        )),
        Ok(found) if found.mode() & 0o004 != 0 => Some(Finding::problem(
            format!("{origin}: the file {shown} with the {what} can be read by everybody"),
            format!("chmod 600 '{shown}'"),
        )),
        Ok(_) => None,
    }
}

fn is_found(program: &Path) -> bool {
    let runs = |file: &Path| fs::metadata(file).is_ok_and(|m| m.is_file() && m.mode() & 0o111 != 0);
    if program.to_string_lossy().contains('/') {
        return runs(program);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| runs(&folder.join(program)))
}

fn check_secret(secret: &Secret, origin: &Origin) -> Option<Finding> {
    let file = match secret {
        Secret::Env(name) => {
            let is_set = env::var_os(name).is_some_and(|secret| !secret.is_empty());
            return (!is_set).then(|| {
                Finding::problem(
                    format!("{origin}: the variable {name} with the secret is not set"),
                    "set it for the program that runs hooks: nothing is sent unsigned",
                )
            });
        }
        Secret::File(file) => file,
    };
    let what = match fs::metadata(file) {
        Err(_) => "cannot be found",
        Ok(found) if found.mode() & 0o077 != 0 => "can be read by others",
        Ok(found) if found.len() == 0 => "is empty",
        Ok(_) => return None,
    };
    let file = file.display();
    Some(Finding::problem(
        format!("{origin}: the file {file} with the secret {what}"),
        format!("write the secret into it, and: chmod 600 '{file}'"),
    ))
}

/// Whether what is posted there crosses a network as it is.
fn is_in_the_open(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    uri.scheme_str() == Some("http") && !is_here
}
