//! What the honest server that is attacked, and the honest bystander, do for their callers: one number a method.

/// Answers with the same data.
pub const ECHO: u32 = 0;
/// Makes a new object and grants it.
pub const MINT: u32 = 1;
/// Ends the object that is called.
pub const DISSOLVE: u32 = 2;
/// Has an effect: the count in [`Census`] goes up.
pub const POKE: u32 = 3;
/// Is answered when somebody calls [`ANSWER_ALL`].
pub const HOLD: u32 = 4;
/// Answers all held calls, each with its own data.
pub const ANSWER_ALL: u32 = 5;
/// Answers with a [`Census`].
pub const CENSUS: u32 = 6;
/// Grants as many capabilities to an object of another entrypoint as the first byte says: portals.
pub const PORTALS: u32 = 7;
/// Reads its arguments twice, some time apart, and answers 1 if both readings agree and every length holds, else 0.
pub const READ_TWICE: u32 = 8;
/// Keeps the capabilities that came with the call until [`LET_GO`].
pub const KEEP: u32 = 9;
/// Drops the kept capabilities.
pub const LET_GO: u32 = 10;
/// Calls the first capability that came with the call, with a deadline of 100 ms; answers 1 if that was answered.
pub const CALL_BACK: u32 = 11;
/// Applies [`confinement`](crate::confinement) to the process; answers 1 if it holds. The bystander does it, too.
pub const CONFINE: u32 = 12;
/// Forbids the process to [ask for](crate::confinement::forbid_asking_strangers) what strangers can keep waiting; answers 1 if
/// that holds.
pub const ASK_NOBODY: u32 = 18;

/// Makes a new signal context and grants it.
pub const CONTEXT: u32 = 13;
/// Answers how often the handler of each context has run, in the order in which they were made; those of the first 200.
pub const RUNS: u32 = 14;
/// Ends what comes as the first capability.
pub const END: u32 = 15;

/// Grants the context whose handler is the sink of the stream that the server was started with.
pub const STREAM: u32 = 16;
/// Answers how many packets that handler has taken, and how many in the longest of its turns: two numbers of 8 bytes.
pub const TURNS: u32 = 17;

/// Bystander: calls the capability that comes with this, without end.
pub const WATCH: u32 = 20;
/// Bystander: how that went.
pub const REPORT: u32 = 21;

/// What an honest server holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open channels.
    pub channels: u32,
    /// Rows of all channels.
    pub rows: u32,
    /// Live objects.
    pub objects: u32,
    /// Calls of [`POKE`].
    pub pokes: u32,
    /// Calls that wait for [`ANSWER_ALL`].
    pub held: u32,
}

impl Census {
    /// As the data of a message.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let Census { channels, rows, objects, pokes, held } = self;
        [channels, rows, objects, pokes, held].into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// Out of the data of a message.
    ///
    /// # Panics
    /// If it is too short: an honest server sends all of it.
    #[must_use]
    pub fn decode(data: &[u8]) -> Census {
        let mut fields = data.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let mut field = || fields.next().expect("a census has five numbers");
        Census { channels: field(), rows: field(), objects: field(), pokes: field(), held: field() }
    }
}
