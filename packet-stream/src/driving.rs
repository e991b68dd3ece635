//! What is the same for a source and a sink: who is told, and who looks by himself.

use crate::control::Control;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::protocol::attention::{LOOKS_TO_PUT, LOOKS_TO_TAKE};
use crate::signal::{Notify, Signal};
use crate::sink::Sink;
use crate::source::Source;
use crate::wait::HangUp;

macro_rules! driving {
    ($side:ident, $other:literal) => {
        impl<D: Control, T> $side<D, T> {
            #[doc = concat!("Tells the ", $other, "'s handler by this from now on. At once, if there is something for it already.")]
            #[doc = concat!("A ", $other, " that blocks in calls of its own is woken without.")]
            pub fn set_handler(&mut self, handler: impl Notify + 'static) {
                self.port.set_handler(Box::new(handler));
            }

            #[doc = concat!("Says that this side looks by itself from now on, so that the ", $other, " need send no signal. Calls that block")]
            /// do that, too.
            pub fn watch(&mut self) {
                self.port.attend(LOOKS_TO_PUT | LOOKS_TO_TAKE);
            }

            /// Says that this side relies on signals again. Answers whether it must look once more, since something came
            /// before that was known.
            ///
            /// # Errors
            /// [`Error::Violation`], [`Error::Memory`].
            pub fn unwatch(&mut self) -> Result<bool, Error> {
                self.port.attend(0);
                self.port.has_moved()
            }

            /// How often a signal was sent by this side.
            #[must_use]
            pub fn sent(&self, signal: Signal) -> u64 {
                self.port.sent(signal)
            }

            #[doc = concat!("A handle for whoever watches the ", $other, ", to say that it is gone.")]
            #[must_use]
            pub fn hang_up(&self) -> HangUp {
                HangUp(self.port.shared.clone())
            }

            /// The measures of the stream.
            #[must_use]
            pub fn geometry(&self) -> Geometry {
                self.port.geometry
            }
        }
    };
}

driving!(Source, "sink");
driving!(Sink, "source");
