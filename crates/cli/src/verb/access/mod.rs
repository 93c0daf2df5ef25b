//! `dalsegno access …`: who may do what.

mod add;
mod handing;
mod list;
mod remove;
mod reset;
mod set;
mod token;

use clap::Subcommand;
use dalsegno::{Engine, ErrorKind, Permission, Principal, Rule};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::{EVERY, Place, writable};

/// Say who may do what: principals, each with a token and rules
///
/// Where a store has none, everybody may do everything. From the first one on it asks everybody for a token
/// (--token-file), programs that have it open too. This guards against mistakes, and serves programs that act for
/// others; it does not keep out who can write the store's file.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Access {
    List(list::List),
    Add(add::Add),
    Set(set::Set),
    Token(token::Token),
    Remove(remove::Remove),
    Reset(reset::Reset),
}

impl Access {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::List(list) => list.run(global, out),
            Self::Add(add) => add.run(global, out),
            Self::Set(set) => set.run(global, out),
            Self::Token(token) => token.run(global, out),
            Self::Remove(remove) => remove.run(global, out),
            Self::Reset(reset) => reset.run(global, out),
        }
    }
}

/// Opens the store, to change who may do what.
fn open(global: &Global) -> Result<Engine> {
    let engine = Place::open(global)?;
    writable(&engine)?;
    Ok(engine)
}

/// The principal of that name, for those that only rehearse.
fn known(engine: &Engine, name: &str) -> Result<Principal> {
    let found = engine.principals()?.into_iter().find(|it| it.name == name);
    found.ok_or_else(|| {
        let message =
            format!("there is no principal '{name}'; `access list` shows those there are");
        Failure::new(ErrorKind::NotFound, message)
    })
}

/// Whether who has these rules may say who may do what.
fn rule_all(rules: &[Rule]) -> bool {
    let admin = |rule: &Rule| rule.permissions.contains(&Permission::Admin);
    rules.iter().any(|it| it.pattern == EVERY && admin(it))
}

/// Refuses, for those that only rehearse, what would leave nobody who may say who may do what.
fn keep_one_who_rules(engine: &Engine, but: &str) -> Result<()> {
    let all = engine.principals()?;
    let mut others = all.iter().filter(|it| it.name != but);
    if others.any(|it| rule_all(&it.rules)) {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Conflict,
        format!(
            "'{but}' is the only one who may say who may do what: allow another admin on ** first, or remove the others"
        ),
    ))
}

/// Rules as users type them.
fn shown(rules: &[Rule]) -> String {
    let rules: Vec<String> = rules
        .iter()
        .map(|rule| human::safe(&rule.to_string()))
        .collect();
    rules.join(" ")
}
