//! The client's side: what it makes of a reply, and of the words that a server writes.

use super::{Puppet, Script};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::{MAX_CAPABILITIES, MsgBuf};
use crate::wire::head::{State, Status};
use crate::wire::layout;
use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

thread_local! {
    /// Used again, if nothing is wrong with its channel: making one takes longer than a call.
    static PUPPET: Cell<Option<Puppet>> = const { Cell::new(None) };
}

/// The answer is there before the call: nobody waits.
const AT_ONCE: Deadline = Deadline::After(Duration::from_millis(1));

/// Calls a server that answers as the bytes say, some times over one channel.
pub fn reply(data: &[u8]) {
    let mut puppet =
        PUPPET.take().unwrap_or_else(|| Puppet::new().expect("the system has what a channel needs"));
    let mut script = Script::new(data);
    // Else it lies about the release ring, and nobody can say what lies there then.
    let honest = script.byte().is_multiple_of(2);
    let (send, mut receive, mut violated) = (MsgBuf::new(), MsgBuf::new(), false);
    let capability = puppet.capability();
    while !script.is_done() && !violated {
        let turn = Turn::prepare(&mut puppet, &mut script, honest);
        let result = capability.call_with(&send, &mut receive, AT_ONCE);
        violated = matches!(result, Err(Error::Violation(_)));
        turn.check(&result, &receive);
        receive.clear();
        turn.check_releases(&puppet, violated);
    }
    if violated {
        assert_eq!(capability.call_with(&send, &mut receive, AT_ONCE), Err(Error::Disconnected));
    }
    drop(capability);
    puppet.forget();
    assert_eq!(puppet.objects(), 0, "capabilities in messages are neither lost nor doubled");
    if honest && !violated {
        PUPPET.set(Some(puppet));
    }
}

/// One call, and what it must come to.
struct Turn {
    state: u64,
    words: Vec<u64>,
    portals: usize,
    /// The release ring before the call; `None` if the server lies about it.
    head: Option<u64>,
}

impl Turn {
    fn prepare(puppet: &mut Puppet, script: &mut Script<'_>, honest: bool) -> Turn {
        let head = puppet.words[layout::RELEASE_HEAD].load(Ordering::Relaxed);
        let choice = script.byte();
        puppet.set_flags(script.word(), script.word(), if honest { head } else { script.word() });
        let state = if choice & 2 == 0 {
            script.word()
        } else {
            // Not likely to be met by chance: a short message, few slots, a status that there is.
            u64::from(script.half() % 40) << 32
                | u64::from(script.byte()) << 43
                | u64::from(script.byte() % 11) << 51
        };
        let words = (0..script.below(20)).map(|_| script.word()).collect::<Vec<_>>();
        let right = State::decode(state).map_or(0, |state| state.kinds.carried());
        let portals = if choice & 4 == 0 { right } else { script.below(MAX_CAPABILITIES + 1) };
        let carried: Vec<_> = (0..portals).map(|_| puppet.object()).collect();
        puppet.answer_with(state, &words, &carried);
        Turn { state, words, portals, head: honest.then_some(head) }
    }

    /// What the state word alone demands.
    fn expected(&self) -> Result<(State, Status), ()> {
        let state = State::decode(self.state).map_err(|_| ())?;
        let status = Status::decode(state.status).map_err(|_| ())?;
        let portals = state.kinds.carried();
        if portals == 0 || portals == self.portals { Ok((state, status)) } else { Err(()) }
    }

    fn check(&self, result: &Result<(), Error>, receive: &MsgBuf) {
        let Ok((state, status)) = self.expected() else {
            assert!(matches!(result, Err(Error::Violation(_))), "{result:?}");
            return;
        };
        assert_eq!(*result, status.into_result());
        assert_eq!(receive.data().len(), usize::from(state.length));
        for (bytes, word) in receive.data().as_chunks::<8>().0.iter().zip(&self.words) {
            assert_eq!(u64::from_le_bytes(*bytes), *word);
        }
        let slots = state.kinds.slots(std::iter::repeat(0)).count();
        assert_eq!(receive.capabilities(), slots);
        assert_eq!(receive.held().count(), slots);
    }

    /// Each row that was granted comes back once.
    fn check_releases(&self, puppet: &Puppet, violated: bool) {
        let Some(before) = self.head else { return };
        let rows = match State::decode(self.state) {
            Ok(state) if !violated => state.kinds.slots(std::iter::repeat(0)).count() - state.kinds.carried(),
            _ => 0,
        };
        let after = puppet.words[layout::RELEASE_HEAD].load(Ordering::Relaxed);
        assert_eq!(after.wrapping_sub(before), rows as u64);
    }
}
