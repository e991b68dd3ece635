//! What a portal becomes: a row of a channel, a channel, or something of this very domain.

use super::{Portal, Settled, Stage, State};
use crate::client::channel::Channel;
use crate::client::fold;
use crate::client::reference::RowReference;
use crate::error::Error;
use crate::transport::Transport;
use crate::wake::wake;
use crate::wire::head::RowName;
use crate::wire::slot::Group;
use std::sync::MutexGuard;

impl Portal {
    /// If its ticket has come: it has come home, or has it folded, or makes it the channel of its group.
    pub(super) fn go_on(&self, state: &mut State) {
        self.look(state);
        self.come_home_by_token(state);
        let (Stage::Fresh, Some(origin), Some(token)) = (state.stage, self.origin, state.token) else {
            return;
        };
        match self.pd.groups().get(origin) {
            Some(channel) => match fold::present(&self.this, &self.pd, channel, token) {
                Ok(fold) => (state.stage, state.fold) = (Stage::Folding, Some(fold)),
                Err(_) => self.stay_alone(state),
            },
            // If that fails, whoever uses it finds out.
            None => drop(self.connect(state)),
        }
    }

    /// Makes it a channel: for good, unless it may still fold into another one.
    pub(super) fn connect(&self, state: &mut State) -> Result<(), Error> {
        let reference = match state.meanwhile.take() {
            Some(reference) => reference,
            None => {
                // Somebody was quicker, or its end has come.
                let Some(transport) = state.transport.clone() else { return Ok(()) };
                let channel = Channel::connect(&self.pd, &transport, self.own_group(), state.callee.clone())?;
                state.transport = None;
                RowReference::new(channel, RowName::FIRST)
            }
        };
        if std::mem::take(&mut state.submitted) {
            reference.channel.submit(reference.row);
        }
        let is_settled = match (state.stage, self.origin) {
            (Stage::Folding, _) => false,
            // Of two that come here at once, one is the first.
            (Stage::Fresh, Some(origin)) => self.pd.groups().insert(origin, &reference.channel),
            _ => true,
        };
        if is_settled {
            self.settle_with(state, reference);
        } else {
            state.meanwhile = Some(reference);
            // Somebody else was the first of its group: it folds into that.
            self.go_on(state);
        }
        Ok(())
    }

    /// The group of its own channel: that of all that are handed on of its group, if it becomes the channel of that.
    pub(super) fn own_group(&self) -> Group {
        match self.origin.filter(|origin| self.pd.groups().get(*origin).is_none()) {
            Some(origin) => self.pd.groups().onward(origin),
            None => Group::next(),
        }
    }

    /// It will not fold.
    pub(super) fn stay_alone(&self, state: &mut State) {
        state.stage = Stage::Alone;
        if state.meanwhile.is_some() || state.submitted {
            // If that fails, whoever uses it finds out.
            drop(self.connect(state));
        }
        self.changes.notify_all();
    }

    pub(super) fn settle_with(&self, state: &mut State, reference: RowReference) {
        if std::mem::take(&mut state.submitted) {
            reference.channel.submit(reference.row);
        }
        self.end_with(state, Settled::Row(reference));
    }

    /// If its ticket was issued here, it is what that was issued for.
    pub(super) fn come_home_by_token(&self, state: &mut State) {
        let token = state.token.filter(|_| state.stage == Stage::Fresh);
        let Some(own) = token.and_then(|token| self.pd.issued().redeem(token)) else { return };
        if std::mem::take(&mut state.submitted) {
            own.submit();
        }
        // Its server need not wait for whoever else has copies.
        let _ = state.transport.take().map(|transport| transport.hang_up());
        self.end_with(state, Settled::Own(own));
    }

    pub(super) fn end_with(&self, state: &mut State, settled: Settled) {
        let _ = self.settled.set(settled);
        state.stage = Stage::Settled;
        // Closed where a close may block, with all that was read and not asked for.
        (state.watch, state.entrance, state.transport, state.meanwhile) = (None, None, None, None);
        state.callee = None;
        self.changes.notify_all();
    }

    /// What its token was answered with.
    pub(in crate::client) fn conclude(&self, folded: Result<RowReference, Error>) {
        let mut state = self.state();
        state.fold = None;
        match folded {
            Ok(reference) => self.settle_with(&mut state, reference),
            // Not carried out: it is tried again when the portal is used.
            Err(Error::DeadlineExceeded | Error::Busy) => state.stage = Stage::Fresh,
            Err(_) => self.stay_alone(&mut state),
        }
        self.tell(state);
    }

    /// Tells everybody who waits for it that it has changed.
    pub(super) fn tell(&self, mut state: MutexGuard<'_, State>) {
        self.changes.notify_all();
        let tasks = state.tasks.take();
        drop(state);
        tasks.for_each(wake);
    }
}
