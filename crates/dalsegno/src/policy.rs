//! Rules of retention that the store keeps, by pattern of sessions' names.

use crate::attempt::until_done;
use crate::audit::set_or_removed;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::Action;
use crate::retention::Policy;
use crate::store::{Exchange, PolicyRow, Row, Rows};

impl Engine {
    /// The policies, in the order in which they were made.
    ///
    /// # Errors
    /// `Damaged` where a row is not as it was written.
    pub fn policies(&self) -> Result<Vec<Policy>> {
        let rows = self.view()?.policies()?;
        rows.iter().map(|row| self.read_policy(row)).collect()
    }

    /// Keeps a policy, in the place of the one with the same pattern. It takes effect at the next
    /// [cleanup](Engine::cleanup_plan) that names no rules of its own.
    ///
    /// # Errors
    /// `InvalidInput` where the pattern or the rules make no sense.
    pub fn set_policy(&self, policy: &Policy) -> Result<()> {
        policy.check()?;
        let detail = serde_json::to_vec(policy)
            .map_err(|e| Error::invalid("the policy cannot be written as JSON").with_source(e))?;
        self.change_policy(&policy.pattern, Some(detail))
            .map(|_| ())
    }

    /// Removes the policy of that pattern.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn remove_policy(&self, pattern: &str) -> Result<()> {
        if self.change_policy(pattern, None)? {
            return Ok(());
        }
        Err(Error::not_found(format!(
            "there is no policy for '{pattern}'; `policy list` shows those there are"
        )))
    }

    /// Puts another policy in the place of the one of that pattern, and says whether there was one.
    fn change_policy(&self, pattern: &str, detail: Option<Vec<u8>>) -> Result<bool> {
        self.allow(Action::Policy, None)?;
        let id = &self.store().info().id;
        until_done("the policies", || {
            let rows = self.view()?.policies()?;
            let old = rows.iter().find(|row| row.pattern == pattern).cloned();
            let next = rows.last().map_or(1, |last| last.id + 1);
            let new = detail.clone().map(|detail| {
                let row = PolicyRow {
                    id: old.as_ref().map_or(next, |old| old.id),
                    pattern: pattern.to_owned(),
                    detail,
                    checksum: [0; 16],
                };
                row.summed(id)
            });
            let there = old.is_some();
            let of = |row: Option<PolicyRow>| Rows {
                policies: row.into_iter().collect(),
                ..Rows::default()
            };
            let said = self.said(Action::Policy).note(set_or_removed(&new));
            let exchange = Exchange::of(of(old), of(new)).say(said);
            Ok(self.store().exchange(&exchange)?.then_some(there))
        })
    }

    fn read_policy(&self, row: &PolicyRow) -> Result<Policy> {
        let damaged = || {
            let pattern = &row.pattern;
            Error::damaged(format!("the policy for {pattern} is damaged; set it anew"))
        };
        if !row.is_intact(&self.store().info().id) {
            return Err(damaged());
        }
        serde_json::from_slice(&row.detail).map_err(|e| damaged().with_source(e))
    }
}
