//! Adding principals and changing what they may do.

use super::principal::{self, Kept, Principal, Rule, check_rules};
use super::token::Token;
use crate::attempt::until_done;
use crate::codec::note;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Action, check_session_name};
use crate::store::{Exchange, NoteRow, notes};

impl Engine {
    /// Who may do what, in the order in which they were added.
    ///
    /// # Errors
    /// `Denied` where that may not be asked; `Damaged` where a row is not as it was written.
    pub fn principals(&self) -> Result<Vec<Principal>> {
        self.allow(Action::Access, None)?;
        let mut found = Vec::new();
        principal::each(&*self.raw_view()?, &self.store().info().id, &mut |kept| {
            found.push(kept?.shown()?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Adds a principal, and gives its token, which is told this once. From the first one on the store asks everybody
    /// for a token; so the first must be allowed `admin` on `**`.
    ///
    /// ```
    /// use dalsegno::{Engine, ErrorKind, Options, Permission, Rule};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let engine = Engine::create(&path)?;
    /// let admin = engine.add_principal("admin", &[Rule::everything()])?;
    /// assert_eq!(engine.sessions().unwrap_err().kind(), ErrorKind::Denied);
    ///
    /// let engine = Options::default().token(admin).open(&path)?;
    /// let rule = Rule::new([Permission::Create], "bot/*");
    /// let bot = engine.add_principal("bot", &[rule])?;
    ///
    /// let engine = Options::default().token(bot).open(&path)?;
    /// engine.save_json("bot/42", "{}").commit()?;
    /// let refused = engine.delete(&["bot/42@latest"], dalsegno::GRACE);
    /// assert_eq!(refused.unwrap_err().kind(), ErrorKind::Denied);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Conflict` where there is one of that name; `InvalidInput` for a name or rules that cannot be, or a first one
    /// that could not add others; `Denied`.
    pub fn add_principal(&self, name: &str, rules: &[Rule]) -> Result<Token> {
        self.allow(Action::Access, None)?;
        check_session_name(name).map_err(|error| error.context("the name of a principal"))?;
        check_rules(rules)?;
        let token = Token::generate()?;
        self.change_principals(&format!("{name} was added"), |kept, next| {
            if kept.iter().any(|(_, kept)| kept.name == name) {
                return Err(Error::conflict(format!(
                    "there is a principal '{name}' already; choose another name, or give it other rules"
                )));
            }
            let new = Kept {
                name: name.to_owned(),
                token: token.hash(),
                rules: rules.to_vec(),
                since: self.now().as_microsecond(),
            };
            if kept.is_empty() && !new.rules_all() {
                return Err(Error::invalid(
                    "the first principal must be allowed admin on ** (all=**), or nobody could add others",
                ));
            }
            Ok(vec![(next, Some(new))])
        })?;
        Ok(token)
    }

    /// Gives a principal other rules, in the place of all that it had.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where nobody would be left to say who may do what; `InvalidInput`; `Denied`.
    pub fn set_rules(&self, name: &str, rules: &[Rule]) -> Result<()> {
        self.allow(Action::Access, None)?;
        check_rules(rules)?;
        self.change_principals(&format!("{name} has other rules"), |kept, _| {
            let (id, before) = known(kept, name)?;
            let next = Kept {
                rules: rules.to_vec(),
                ..before.clone()
            };
            if !next.rules_all() {
                keep_one_who_rules(kept, name)?;
            }
            Ok(vec![(id, Some(next))])
        })
    }

    /// Gives a principal another token, which is told this once; the one that it had is of no use any more.
    ///
    /// # Errors
    /// `NotFound`; `Denied`.
    pub fn new_token(&self, name: &str) -> Result<Token> {
        self.allow(Action::Access, None)?;
        let token = Token::generate()?;
        self.change_principals(&format!("{name} has another token"), |kept, _| {
            let (id, before) = known(kept, name)?;
            let next = Kept {
                token: token.hash(),
                ..before.clone()
            };
            Ok(vec![(id, Some(next))])
        })?;
        Ok(token)
    }

    /// Removes a principal. Without the last one, everybody may do everything again.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where nobody would be left to say who may do what; `Denied`.
    pub fn remove_principal(&self, name: &str) -> Result<()> {
        self.allow(Action::Access, None)?;
        self.change_principals(&format!("{name} was removed"), |kept, _| {
            let (id, _) = known(kept, name)?;
            if kept.len() > 1 {
                keep_one_who_rules(kept, name)?;
            }
            Ok(vec![(id, None)])
        })
    }

    /// Removes all principals, for one who has lost the token that rules them: it takes no permission, for whoever can
    /// write the file could do the same by other means. It stands in the audit log. Says how many there were.
    ///
    /// # Errors
    /// `Denied` where the store is read-only.
    pub fn reset_access(&self) -> Result<u64> {
        let mut rows = Vec::new();
        until_done("the principals", || {
            rows = self.principal_rows()?;
            if rows.is_empty() {
                return Ok(Some(()));
            }
            let said = self.said_by_anybody(Action::Access);
            let said = said.note("all were removed");
            let exchange = Exchange::of_notes(rows.clone(), Vec::new()).say(said);
            Ok(self.store().exchange(&exchange)?.then_some(()))
        })?;
        Ok(rows.len() as u64)
    }

    /// Whether the store has principals.
    ///
    /// # Errors
    /// As the store answers.
    pub fn has_principals(&self) -> Result<bool> {
        Ok(!self.principal_rows()?.is_empty())
    }

    fn principal_rows(&self) -> Result<Vec<NoteRow>> {
        let mut rows = Vec::new();
        notes::each(&*self.raw_view()?, note::PRINCIPAL, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Puts others in the place of principals; `change` is told those there are and the next number.
    fn change_principals(
        &self,
        note: &str,
        change: impl Fn(&[(i64, Kept)], i64) -> Result<Vec<(i64, Option<Kept>)>>,
    ) -> Result<()> {
        let id = &self.store().info().id;
        until_done("the principals", || {
            let rows = self.principal_rows()?;
            let kept = rows
                .iter()
                .map(|row| Ok((row.id, principal::read(row, id)?)))
                .collect::<Result<Vec<_>>>()?;
            let next = rows.last().map_or(1, |row| row.id + 1);
            let (mut take, mut put) = (Vec::new(), Vec::new());
            for (number, new) in change(&kept, next)? {
                take.extend(rows.iter().find(|row| row.id == number).cloned());
                put.extend(new.map(|new| new.row(number, id)).transpose()?);
            }
            let said = self.said(Action::Access).note(note);
            let exchange = Exchange::of_notes(take, put).say(said);
            Ok(self.store().exchange(&exchange)?.then_some(()))
        })
    }
}

fn known<'k>(kept: &'k [(i64, Kept)], name: &str) -> Result<(i64, &'k Kept)> {
    let found = kept.iter().find(|(_, kept)| kept.name == name);
    found.map(|(id, kept)| (*id, kept)).ok_or_else(|| {
        Error::not_found(format!(
            "there is no principal '{name}'; `access list` shows those there are"
        ))
    })
}

fn keep_one_who_rules(kept: &[(i64, Kept)], but: &str) -> Result<()> {
    let mut others = kept.iter().filter(|(_, kept)| kept.name != but);
    if others.any(|(_, kept)| kept.rules_all()) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "'{but}' is the only one who may say who may do what: allow another admin on ** first, or remove the others"
    )))
}
