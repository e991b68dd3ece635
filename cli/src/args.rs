//! The command line.

use clap::{Parser, Subcommand};
use portcullis_init::{CapQuota, RamQuota};
use std::path::PathBuf;

/// A capability-based component framework for Linux: demos, benchmarks and composition files
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments; 128 and its number for a signal that ended it."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a demo: components in processes of their own, who call each other through capabilities
    ///
    /// Without a name it lists the demos and runs the tour.
    #[command(subcommand_value_name = "DEMO", subcommand_help_heading = "Demos")]
    Demo(DemoArgs),
    /// Measure, each figure beside the floor that this machine sets
    #[command(subcommand, subcommand_value_name = "BENCHMARK", subcommand_help_heading = "Benchmarks")]
    Bench(Bench),
    /// Check a composition file, and say all that is wrong with it
    ///
    /// Each problem is a line on standard error: file, line, column, key, what was found and what was expected. Those of
    /// compositions within it, which components are configured with, come after the names that lead there. Warnings are said,
    /// too, and are no reason to fail. Nothing is started.
    Check(CheckArgs),
    /// Draw the components of a composition file and the sessions that they may open
    ///
    /// Writes an SVG. Routes that name no client come from a node "any component".
    Graph(GraphArgs),
    /// Run a composition file until all of its components have ended, or by Ctrl-C
    ///
    /// The file is checked as a whole first, as by `check`, and one with an error starts nothing. What components write to the log of
    /// the root, and who started, ended, crashed and was denied a session, goes to standard error. Sessions that a route leads
    /// to "parent" are served by the command: log, timer, rom (label state: who runs) and spawn (processes, for portcullis-init).
    ///
    /// With SIGUSR1 it says who runs, with what budgets. When the file changes, or with SIGHUP, only what is different in it is changed; a wrong one changes nothing. Ctrl-C, SIGTERM and the end of the terminal end it. Exits with
    /// 0 if all components have ended with 0, else with 1; a signal that ends it ends all components.
    Run(RunArgs),
    /// List what this kernel allows a component's sandbox, and what is missing
    ///
    /// Each layer is tried on a process that does nothing else. Exits with 0 only if a strict sandbox is possible. What is
    /// missing, and what to do about it, goes to standard error.
    Doctor(DoctorArgs),
    /// What a child process of a demo runs.
    #[command(hide = true)]
    Component { name: String },
}

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Write the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    #[command(subcommand)]
    pub(crate) demo: Option<Demo>,
    /// Write the result as one line of JSON, for `bulk --via all` one for each way
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// See all of it: a composition of six components in sandboxes, of which one is killed and one is hostile
    ///
    /// A file travels through all mechanisms: as a dataspace to a reader, in packets to a counter, whose signals make a watcher
    /// fetch the counts by calls. In the middle the watcher's own server is killed, and started anew, while its neighbours
    /// go on. A hostile component tries to reach a file, the network, another component's memory, and a capability that it was not
    /// given; each refusal is shown. Exits with 0 only if all of that held.
    Tour {
        /// The file, of at most 64 MiB, or - for standard input [default: README.md here or in a directory above]
        file: Option<PathBuf>,
    },
    /// Count the lines, words and bytes of a file, as `wc` does
    ///
    /// A server process, `counter`, makes a counting object. A client process is handed the capability to this
    /// object and the file as its standard input, and streams it to the object in calls of up to 1,022 bytes. It is handed
    /// the right to write to a third process, `log`, too, and hands that on to the object, which reports there. The result
    /// goes to standard output as `wc` prints it, the last report and the calls per second to standard error.
    Wordcount {
        /// The file, or - for standard input [default: README.md here or in a directory above]
        file: Option<PathBuf>,
    },
    /// Send a capability through a chain of processes that end behind it, and call its object at the end
    ///
    /// A server process, `origin`, makes an object. The capability to it is handed to the first of the `hop` processes,
    /// which hands it on to the second and ends, and so on; nobody else holds it. The last one calls the object. Exits
    /// with 0 only if that call was answered.
    ///
    /// For each process it shows the descriptors that were open there before the capability came and with it, and those
    /// of the origin afterwards.
    Chain(ChainArgs),
    /// Have a clock signal that it has ticked, and its watchers fetch its state by calls
    ///
    /// A server process, `clock`, submits a signal to each of its watchers whenever it has ticked. A signal carries nothing and is
    /// not counted: who comes to it late finds one signal for many ticks, calls the clock, and has its latest state. The
    /// first watcher is never busy with anything else, each of the others longer than the one before it. Exits with
    /// 0 only if all have seen the last state.
    Ticker(TickerArgs),
    /// Stream a file from one process to another, which computes its checksum, as `sha256sum` does
    ///
    /// A server process, `sink`, makes a receiver. A client process, `source`, is handed the capability to it and the file as
    /// its standard input, and transfers that. The checksum goes to standard output as `sha256sum` prints it, the
    /// throughput to standard error.
    Bulk(BulkArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// How many processes the capability passes through, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = chain_length)]
    pub(crate) length: u32,
    /// Kill each process behind the capability, instead of letting it exit
    #[arg(long)]
    pub(crate) kill: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BulkArgs {
    /// The file, or - for standard input [default: README.md here or in a directory above]
    pub(crate) file: Option<PathBuf>,
    /// By which way the bytes go
    #[arg(long, value_name = "WAY", default_value = "stream")]
    pub(crate) via: Via,
}

/// By which way bytes go from process to process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Via {
    /// In calls of up to 1,022 bytes
    Rpc,
    /// In a shared buffer that a call hands over, again and again
    Buffer,
    /// As a packet stream: both work at the same time
    Stream,
    /// Each of these in turn, side by side; not with standard input, which can be read once only
    All,
}

impl Via {
    /// The ways themselves.
    pub(crate) const WAYS: [Via; 3] = [Via::Rpc, Via::Buffer, Via::Stream];

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Via::Rpc => "rpc",
            Via::Buffer => "buffer",
            Via::Stream => "stream",
            Via::All => "all",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct TickerArgs {
    /// How many watchers there are, 1 to 32
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) watchers: u32,
    /// How often the clock ticks, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) ticks: u32,
    /// Milliseconds between two ticks, 0 to 10000
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub(crate) every: u64,
}

/// The length of a chain.
fn chain_length(said: &str) -> Result<u32, String> {
    const LONGEST: u32 = 1000;
    match said.parse() {
        Ok(0) => Err("somebody must make the call at the end: give 1 or more".into()),
        Ok(length @ 1..=LONGEST) => Ok(length),
        Ok(_) => Err(format!("each hop is a process that is started and ended: give {LONGEST} at most")),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The composition file, or - for standard input
    #[arg(value_name = "FILE.toml")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Write the result as one line of JSON, problems included
    #[arg(long)]
    pub(crate) json: bool,
    /// Do not look whether the binaries are there and can be executed
    #[arg(long)]
    pub(crate) without_binaries: bool,
    /// How much RAM there is for all components together: 4096, 512K, 64M or 2G
    #[arg(long, value_name = "SIZE", value_parser = portcullis_init::ram)]
    pub(crate) ram: Option<RamQuota>,
    /// How many capabilities there are for all components together
    #[arg(long, value_name = "COUNT", value_parser = caps)]
    pub(crate) caps: Option<CapQuota>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// How much RAM there is for all components together: 4096, 512K, 64M or 2G [default: what the file says]
    #[arg(long, value_name = "SIZE", value_parser = portcullis_init::ram)]
    pub(crate) ram: Option<RamQuota>,
    /// How many capabilities there are for all components together [default: what the file says]
    #[arg(long, value_name = "COUNT", value_parser = caps)]
    pub(crate) caps: Option<CapQuota>,
    /// Write to standard output who runs, with what budgets and sessions: a line of JSON whenever that changes
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number of capabilities.
fn caps(said: &str) -> Result<CapQuota, std::num::ParseIntError> {
    said.parse().map(CapQuota::new)
}

#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Write the graph in the language of Graphviz instead
    #[arg(long)]
    pub(crate) dot: bool,
    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Calls between processes, beside a hand-written ping-pong that carries as many bytes
    ///
    /// Ours and the floor alternate in blocks of about 10 ms in the same processes. Takes up to a minute.
    ///
    /// Among the cases are a capability that is passed on to a third process, which calls through it once
    /// (delegate-third-party), beside a socket that is passed on by hand (SCM_RIGHTS), and a call within which the server
    /// calls an object of its client (callback), beside two plain calls.
    Call(CallArgs),
    /// Objects that are opened, delegated to a third process and dropped, beside descriptors that are passed by hand
    ///
    /// Ten thousand, one after the other; ours and the floor (SCM_RIGHTS) alternate in blocks of 200 in the same three
    /// processes. Shows the descriptors and the rows in capability tables of all processes before and after: they are the
    /// same. Takes some seconds.
    Session(Shown),
    /// Signals: submits to a handler that is busy, or awake, in another process
    ///
    /// A thousand submits while the signal is pending, beside as many atomic operations on shared memory (submit-pending); a
    /// signal to a handler and one back, beside a hand-written ping-pong (submit-to-handler); and a thousand submits while the
    /// handler runs all the while (flood). Takes some seconds.
    Signal(CallArgs),
    /// Packet streams, beside a hand-written ring of slots that carries the same packets
    ///
    /// Packets from 64 bytes to 1 MiB: the source writes every byte, the sink reads every byte by checked copies (all-bytes) or
    /// as plain slices of a trusted peer (trusted), or the first 40 only (header). Ours and the floor alternate in blocks of
    /// about 10 ms in the same two processes. The ratio is that of the rates: more is better. Takes up to a minute.
    Stream(CallArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CallArgs {
    /// Only the case of this name or, if there is none, those with this in their names [default: all]
    pub(crate) case: Option<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// How thoroughly a benchmark measures, and how its results are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    /// Write a line of JSON for each case
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the results, too
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Measure a little only: less than ten seconds altogether
    #[arg(long)]
    pub(crate) quick: bool,
}
