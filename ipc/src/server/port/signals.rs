//! Taking signals out of a channel's memory.

use super::{End, Port};
use crate::protocol::{doorbell, signals};
use crate::server::ledger::Ledger;
use crate::server::rows::Row;
use crate::wire::layout;
use crate::wire::signal::{self, Signal};

impl Port {
    /// Whether anything is announced.
    #[inline]
    pub(crate) fn announces(&self) -> bool {
        self.words.as_ref().is_some_and(|words| doorbell::has_pending(&words[layout::PENDING]))
    }

    /// Takes the signals that these bits of `pending` announce. Bits for what is no context, or is dissolved, mean nothing.
    pub(crate) fn take_signals(&self, pending: u64, ledger: &mut Ledger) {
        let Some(words) = self.words.as_ref().filter(|_| pending & layout::PENDING_SIGNALS != 0) else {
            return;
        };
        if let End::Local(_) = self.end {
            // Nobody within the process has rows, but the fuzz target.
            ledger.take_signals_of_here();
        }
        for word in signal::announced(pending, self.rows.signal_words()) {
            // Once, into private memory.
            let taken = signals::take(&words[layout::SIGNALS + word], u64::MAX);
            for signal in Signal::in_word(word, taken) {
                self.has_signal(signal, ledger);
            }
        }
    }

    fn has_signal(&self, signal: Signal, ledger: &mut Ledger) {
        let name = self.rows.name_at(signal.row());
        let context = name.and_then(|name| self.rows.get(name)).and_then(Row::context);
        if let Some(context) = context {
            ledger.contexts_mut().signal(context);
        }
    }

    /// A row is being given back: its signal is taken, since its bit may be another's soon.
    pub(super) fn take_signal_of(&self, row: u32, ledger: &mut Ledger) {
        let (Some(words), Some(signal)) = (&self.words, Signal::of(row)) else { return };
        if signals::take(&words[signal.word()], signal.bit()) != 0 {
            self.has_signal(signal, ledger);
        }
    }
}
