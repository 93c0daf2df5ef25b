//! Thinning a history: a plan with the reason for each snapshot, then the trash, then the space.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::codec::deed::Before;
use crate::damage::{Damage, only_damage, report};
use crate::deed::{self, Deed};
use crate::delete::GRACE;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::guard::{GuardPolicy, Overdue};
use crate::list::Query;
use crate::location;
use crate::model::{Action, Kind, Snapshot, SnapshotId};
use crate::purge::{Purge, Purged, staying};
use crate::retention::{Candidate, Decision, Policy, Reason, Rules, SAFETY_STAYS, choose, decide};
use crate::show;
use crate::shrink::{self, Past};
use crate::store::Flow;
use crate::sweep;

/// What to clean up.
#[derive(Debug, Clone, Default)]
pub struct Cleanup {
    /// Only this session.
    pub session: Option<String>,
    /// By these rules; without, each session by the policy that is kept for it, if there is one.
    pub rules: Option<Rules>,
    /// How long what is deleted stays in the trash; without, what the policy says, else [`GRACE`].
    pub grace: Option<SignedDuration>,
    /// Nothing goes to the trash: what is deleted is purged at once.
    pub purge: bool,
}

/// What a cleanup will do, and why.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct CleanupPlan {
    /// Every session that rules apply to, and those of which guard snapshots go: of these the guard snapshots only.
    pub sessions: Vec<SessionPlan>,
    /// How many snapshots will be deleted.
    pub deleted: u64,
    /// How many stay, of these sessions.
    pub kept: u64,
    /// Bytes of records that will be free when what is deleted is purged, less those that have to be
    /// written anew.
    pub frees: u64,
    /// What has been in the trash for long enough, and will be purged.
    pub expired: Purged,
    /// Sessions that cannot be read: what is damaged is repaired before anything of it is deleted.
    pub damage: Vec<Damage>,
    /// Nothing goes to the trash: it is purged at once.
    pub purge: bool,
}

/// What will become of a session.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct SessionPlan {
    /// Its name.
    pub session: String,
    /// The pattern of the policy, where one applies.
    pub policy: Option<String>,
    /// Each snapshot, in commit order.
    pub snapshots: Vec<PlannedSnapshot>,
    #[serde(skip)]
    grace: SignedDuration,
}

/// What becomes of a guard snapshot that is within its limits.
fn guarded(candidate: &Candidate) -> Decision {
    Decision {
        id: candidate.id,
        keep: true,
        reason: Reason::Guard,
    }
}

impl SessionPlan {
    /// Whether nothing of it goes.
    fn stays(&self) -> bool {
        self.snapshots.iter().all(|snapshot| snapshot.keep)
    }
}

/// What will become of a snapshot, and why.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct PlannedSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its name.
    pub name: Option<String>,
    /// Why it was taken.
    pub kind: Kind,
    /// When it was taken (UTC).
    pub created_at: Timestamp,
    /// Whether it stays.
    pub keep: bool,
    /// Why.
    pub reason: Reason,
}

/// What a cleanup did.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Cleaned {
    /// How many snapshots were deleted.
    pub deleted: u64,
    /// How many are gone for good: those that had been in the trash for long enough and, where it was
    /// asked for, those deleted now.
    pub purged: Purged,
    /// How many bytes the store's file is smaller, where it is one: whole pages.
    pub file_shrunk: Option<u64>,
    /// Sessions of which nothing was purged, because they cannot be read.
    pub damage: Vec<Damage>,
}

impl Engine {
    /// What a cleanup would do, with the reason for each snapshot that stays and each that goes.
    /// Nothing is changed.
    ///
    /// # Errors
    /// `InvalidInput` where the rules make no sense, or none are given, the store has none, and nothing in
    /// the trash has expired, or there are none for the session that is named; `NotFound` where there is
    /// no such session; `Damaged` where the session that is named cannot be read. Of all sessions, the
    /// damaged ones are named in the plan, and left alone.
    pub fn cleanup_plan(&self, cleanup: &Cleanup) -> Result<CleanupPlan> {
        let policies = match &cleanup.rules {
            Some(rules) => {
                rules.check()?;
                Vec::new()
            }
            None => self.policies()?,
        };
        let guards = self.all_guards()?;
        // Guards have limits of their own, which whoever asks for one kind does not mean.
        let thins = cleanup
            .rules
            .as_ref()
            .is_none_or(|rules| rules.kinds.is_empty());
        let names = match &cleanup.session {
            Some(session) => {
                let guarded = guards.of(session).is_some();
                self.refuse_unruled(session, cleanup, &policies, guarded)?;
                vec![session.clone()]
            }
            None => self.sessions()?,
        };
        let mut plan = CleanupPlan {
            sessions: Vec::new(),
            deleted: 0,
            kept: 0,
            frees: 0,
            expired: Purged::default(),
            damage: Vec::new(),
            purge: cleanup.purge,
        };
        plan.expired = self.plan_all_but_damaged(&Purge::Expired, &mut plan.damage)?;
        let trash = self.states_in_trash()?;
        for name in names {
            let policy = choose(&policies, &name);
            let rules = cleanup.rules.as_ref().or(policy.map(|p| &p.rules));
            let guard = guards.of(&name).filter(|_| thins);
            if rules.is_none() && guard.is_none() {
                continue;
            }
            let grace = cleanup.grace.or(policy.and_then(|policy| policy.grace));
            let planned = self
                .plan_session(name.clone(), rules, policy, guard, grace.unwrap_or(GRACE))
                .and_then(|session| Ok((self.frees(&session, &trash)?, session)));
            match planned {
                Ok((_, session)) if rules.is_none() && session.stays() => {}
                Ok((frees, session)) => {
                    let gone = session.snapshots.iter().filter(|s| !s.keep).count();
                    plan.deleted += gone as u64;
                    plan.kept += (session.snapshots.len() - gone) as u64;
                    plan.frees += frees;
                    plan.sessions.push(session);
                }
                Err(error) if cleanup.session.is_some() => return Err(error),
                // One bad session does not hold up the others.
                Err(error) => {
                    let error = only_damage(error)?;
                    report(&mut plan.damage, Some(&name), Vec::new(), error.to_string());
                }
            }
        }
        let ruled = cleanup.rules.is_some() || !policies.is_empty() || cleanup.session.is_some();
        let idle = plan.sessions.is_empty() && plan.damage.is_empty();
        if !ruled && idle && plan.expired.snapshots == 0 {
            return Err(Error::invalid(
                "no rules were given, the store has no policy, and nothing in the trash is to go yet; \
                 say what to keep, such as --keep-last 10 or --older-than 30d",
            ));
        }
        Ok(plan)
    }

    /// Who names a session wants something of it: that nothing applies to it is no answer.
    fn refuse_unruled(
        &self,
        name: &str,
        cleanup: &Cleanup,
        policies: &[Policy],
        guarded: bool,
    ) -> Result<()> {
        let view = self.view()?;
        show::known_session(&*view, &self.store().info().id, name)?;
        if cleanup.rules.is_none() && choose(policies, name).is_none() && !guarded {
            return Err(Error::invalid(format!(
                "no rules were given, and no policy is for session {name}; say what to keep, such as \
                 --keep-last 10 or --older-than 30d, or see `policy list`"
            )));
        }
        Ok(())
    }

    fn plan_session(
        &self,
        session: String,
        rules: Option<&Rules>,
        policy: Option<&Policy>,
        guard: Option<&GuardPolicy>,
        grace: SignedDuration,
    ) -> Result<SessionPlan> {
        let mut query = Query::session(&session);
        query.limit = usize::MAX;
        let page = self.list(&query)?;
        if let Some(damaged) = page.damaged.first() {
            return Err(Error::damaged(format!(
                "session {session}: snapshot {damaged} is damaged or missing; run `verify`"
            )));
        }
        let mut snapshots = page.snapshots;
        snapshots.reverse();
        if rules.is_none() {
            snapshots.retain(|snapshot| snapshot.kind == Kind::Guard);
        }
        let surplus = self.surplus(&session, guard, &snapshots)?;
        let candidates: Vec<Candidate> = snapshots
            .iter()
            .map(|snapshot| Candidate {
                id: snapshot.id,
                created_at: snapshot.created_at,
                kind: snapshot.kind,
                tags: snapshot.tags.clone(),
                pinned: snapshot.pinned,
                unchanged: snapshot.unchanged,
            })
            .collect();
        let decisions = match rules {
            Some(rules) => decide(rules, self.now(), &TimeZone::system(), &candidates)?,
            None => candidates.iter().map(guarded).collect(),
        };
        let planned = snapshots.into_iter().zip(decisions);
        let leads_back = match rules.filter(|rules| !rules.keep_nothing) {
            Some(_) => self.leads_back(&session)?,
            None => HashSet::new(),
        };
        let planned = planned.map(|(snapshot, mut decision)| {
            if !decision.keep && leads_back.contains(&snapshot.id.seq()) {
                decision.reason = Reason::Undo { than: SAFETY_STAYS };
                decision.keep = true;
            }
            if let Some(why) = surplus.get(&snapshot.id.seq()).filter(|_| decision.keep) {
                decision.reason = Reason::from(*why);
                decision.keep = false;
            }
            (snapshot, decision)
        });
        Ok(SessionPlan {
            session,
            policy: policy.map(|policy| policy.pattern.clone()),
            grace,
            snapshots: planned
                .map(|(snapshot, decision)| PlannedSnapshot {
                    id: snapshot.id,
                    name: snapshot.name,
                    kind: snapshot.kind,
                    created_at: snapshot.created_at,
                    keep: decision.keep,
                    reason: decision.reason,
                })
                .collect(),
        })
    }

    /// The states that an undo of what was done to the session of late leads back to.
    fn leads_back(&self, session: &str) -> Result<HashSet<i64>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let since = self.now().checked_sub(SAFETY_STAYS);
        let since = since.unwrap_or(Timestamp::MIN).as_microsecond();
        let mut found = HashSet::new();
        for row in deed::rows(&*view, row.id)? {
            // One that cannot be read can be undone no more.
            if let Ok(deed) = Deed::read(&row, id)
                && deed.detail.at >= since
                && let Before::Snapshot(seq) = deed.detail.before
            {
                found.insert(seq);
            }
        }
        Ok(found)
    }

    /// The guard snapshots of a session that are more than its guard keeps, and why.
    fn surplus(
        &self,
        session: &str,
        guard: Option<&GuardPolicy>,
        snapshots: &[Snapshot],
    ) -> Result<HashMap<i64, Overdue>> {
        let has = snapshots
            .iter()
            .any(|snapshot| snapshot.kind == Kind::Guard);
        let Some(guard) = guard.filter(|_| has) else {
            return Ok(HashMap::new());
        };
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let past = Past::read(&*view, id, &row)?;
        shrink::surplus(&*view, id, &past, guard, self.now())
    }

    /// The bytes that purging would free, found by doing it without writing.
    fn frees(&self, plan: &SessionPlan, trash: &HashMap<i64, Vec<i64>>) -> Result<u64> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::session(&*view, id, &plan.session)?;
        let Some(row) = row else { return Ok(0) };
        let goes: HashSet<i64> = plan
            .snapshots
            .iter()
            .filter(|s| !s.keep)
            .map(|s| s.id.seq())
            .collect();
        if goes.is_empty() {
            return Ok(0);
        }
        let mut parts = staying(&*view, id, row.id)?;
        let live = std::mem::take(&mut parts.live);
        (parts.going, parts.live) = live.into_iter().partition(|(seq, _)| goes.contains(seq));
        parts.staying = parts.live.iter().map(|(_, state)| *state).collect();
        let in_trash = trash.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        parts.staying.extend(in_trash);
        let sweep = sweep::plan(&*view, id, &parts, &[])?;
        Ok(u64::try_from(sweep.freed()).unwrap_or(0))
    }

    /// By session, the records that snapshots in the trash need.
    fn states_in_trash(&self) -> Result<HashMap<i64, Vec<i64>>> {
        let mut states: HashMap<i64, Vec<i64>> = HashMap::new();
        self.view()?.trash(&mut |row| {
            let of = states.entry(row.snapshot.session).or_default();
            of.push(row.snapshot.state_seq());
            Flow::Continue(())
        })?;
        Ok(states)
    }

    /// Does what was planned, and purges what has been in the trash for long enough. What was saved or
    /// pinned since the plan stays. `progress` hears of each session's name.
    ///
    /// Interrupted, it leaves a whole store, and can be started again.
    ///
    /// # Errors
    /// As [`delete`](Engine::delete) and [`purge`](Engine::purge); what was deleted before is in the
    /// trash, and the message says how many were deleted and how many are gone for good.
    pub fn cleanup(&self, plan: &CleanupPlan, progress: &mut dyn FnMut(&str)) -> Result<Cleaned> {
        let sessions = plan.sessions.iter().map(|plan| plan.session.as_str());
        self.allow_all(Action::Delete, sessions)?;
        self.carry_out(plan, false, progress)
    }

    /// Deletes automatic snapshots of a session by rules of their own, for good: nobody would look for them.
    pub(crate) fn clean_automatic(&self, session: &str, rules: Rules) -> Result<Cleaned> {
        let plan = self.cleanup_plan(&Cleanup {
            session: Some(session.to_owned()),
            rules: Some(rules.kind(Kind::Auto)),
            grace: None,
            purge: true,
        })?;
        self.carry_out(&plan, true, &mut |_| {})
    }

    fn carry_out(
        &self,
        plan: &CleanupPlan,
        automatic: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Cleaned> {
        // Without the WAL, which grows and shrinks for other reasons.
        let size = || self.path().map(|path| location::bytes(&path, &[""]));
        let before = size();
        let mut cleaned = Cleaned::default();
        let mut of = Vec::new();
        let done = self.clean(plan, &mut cleaned, &mut of, progress);
        for (session, deleted) in of.iter().filter(|(_, deleted)| *deleted > 0) {
            let what = Happened::CleanedUp {
                deleted: *deleted,
                automatic,
            };
            self.tell(Some(session), what);
        }
        done.map_err(|error| {
            let (deleted, purged) = (cleaned.deleted, cleaned.purged.snapshots);
            error.after(&[(deleted, "deleted"), (purged, "purged")])
        })?;
        cleaned.file_shrunk = before
            .zip(size())
            .map(|(before, after)| before.saturating_sub(after));
        Ok(cleaned)
    }

    fn clean(
        &self,
        plan: &CleanupPlan,
        cleaned: &mut Cleaned,
        of: &mut Vec<(String, u64)>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let mut deleted: BTreeSet<SnapshotId> = BTreeSet::new();
        for session in &plan.sessions {
            let goes = session.snapshots.iter().filter(|s| !s.keep);
            let goes: Vec<SnapshotId> = goes.map(|snapshot| snapshot.id).collect();
            if !goes.is_empty() {
                let seqs = goes.iter().map(|id| id.seq()).collect();
                // Whatever comes between, the next cleanup finds that its time is over.
                let grace = if plan.purge {
                    SignedDuration::ZERO
                } else {
                    session.grace
                };
                let term = self.term(grace)?;
                let mut moved = HashSet::new();
                let buried = self.bury(&session.session, seqs, term, &mut moved);
                cleaned.deleted += moved.len() as u64;
                of.push((session.session.clone(), moved.len() as u64));
                buried?;
                deleted.extend(goes);
            }
            progress(&session.session);
        }
        let (purged, damage) = (&mut cleaned.purged, &mut cleaned.damage);
        if plan.purge && !deleted.is_empty() {
            self.purge_all_but_damaged(&Purge::These(deleted), purged, damage, &mut |_| {})?;
        }
        self.purge_all_but_damaged(&Purge::Expired, purged, damage, &mut |_| {})?;
        self.give_back(purged)
    }
}
