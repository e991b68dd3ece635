//! Attacks on signals: by producers on a server, and by a server on its producers.

use portcullis_ipc::{Capability, Deadline, Doorbell, Error, Pd, PdOptions};
use portcullis_tests::villain::client::{Outcome, RawClient};
use portcullis_tests::villain::service;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind, Row, status};
use portcullis_tests::watchdog::Watchdog;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

fn town() -> Town {
    Town::start(VICTIM).expect("the honest processes start")
}

/// How often the handler of each context has run.
fn runs(client: &mut RawClient) -> Vec<u32> {
    let data = client.call(Row::FIRST, service::RUNS, &[]).data();
    data.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

fn context(client: &mut RawClient) -> Row {
    client.call(Row::FIRST, service::CONTEXT, &[]).row()
}

/// What a producer submits to a server that wants to block it: nothing of it takes long.
fn submits_pass(doorbell: Doorbell) -> Result<(), Error> {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let pd = Pd::with(PdOptions { doorbell, ..PdOptions::default() })?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_villain"));
    command.arg("deaf");
    let (villain, capability) = pd.spawn(command)?;
    // More rings than any socket or pipe holds: whenever the signal was taken, the next submit rings.
    let mut slowest = Duration::ZERO;
    for _ in 0..10_000 {
        let start = Instant::now();
        capability.submit();
        slowest = slowest.max(start.elapsed());
        // The villain has its turn.
        std::thread::yield_now();
    }
    // What a machine under load may keep us from our core.
    assert!(slowest < Duration::from_secs(5), "a submit took {slowest:?}");
    drop(villain);
    (0..1_000).for_each(|_| capability.submit());
    Ok(())
}

#[test]
fn attack_17_a_blocking_socket_that_is_full_blocks_no_submit() -> Result<(), Error> {
    submits_pass(Doorbell::Socket)
}

#[test]
fn attack_18_a_pipe_that_is_full_and_blocks_its_reader_blocks_no_submit() -> Result<(), Error> {
    submits_pass(Doorbell::Pipe)
}

#[test]
fn attack_19_a_producer_that_takes_its_own_signals_back_loses_nobody_elses() {
    let mut town = town();
    let (mut villain, mut honest) = (town.villain(), town.villain());
    let (of_villain, of_honest) = (context(&mut villain), context(&mut honest));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                villain.submit(of_villain);
                villain.memory.store(wire::SIGNALS, 0);
                villain.memory.store(wire::PENDING, 0);
            }
        });
        let heard = (1..=20).all(|round| {
            honest.submit(of_honest);
            eventually(|| runs(&mut town.launcher)[1] >= round)
        });
        over.store(true, Ordering::Relaxed);
        assert!(heard, "an honest signal was lost");
    });
    drop((villain, honest));
    town.assert_unharmed();
}

#[test]
fn attack_20_a_storm_of_signals_is_coalesced_and_calls_are_served() {
    let mut town = town();
    let mut villains: Vec<RawClient> = (0..4).map(|_| town.villain()).collect();
    let rows: Vec<Row> = villains.iter_mut().map(context).collect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // All signals that there are, of whatever rows, and everything announced.
            while !over.load(Ordering::Relaxed) {
                for villain in &villains {
                    for word in 0..wire::SIGNAL_WORDS {
                        villain.memory.store(wire::SIGNALS + word, u64::MAX);
                    }
                    villain.memory.store(wire::PENDING, !0xffff_u64);
                    villain.ring();
                }
            }
        });
        for _ in 0..10 {
            town.assert_bystander_unharmed();
        }
        let slowest = town.report().slowest;
        over.store(true, Ordering::Relaxed);
        assert!(slowest < Duration::from_secs(10), "a call took {slowest:?} during the storm");
    });
    // They have had their own signals, and nobody else's; more than a run for each turn nobody has.
    let runs = runs(&mut town.launcher);
    assert_eq!(runs.len(), rows.len());
    assert!(runs.iter().all(|runs| *runs > 0), "{runs:?}");
    for villain in &mut villains {
        assert!(villain.is_welcome(), "bits that mean nothing are no violation");
    }
    drop(villains);
    town.assert_unharmed();
}

#[test]
fn attack_23_a_signal_to_a_destroyed_context_is_a_no_op() {
    let mut town = town();
    let mut villain = town.villain();
    let (gone, stays) = (context(&mut villain), context(&mut villain));
    assert!(gone.index > wire::CONTEXTS && gone != stays);
    villain.submit(gone);
    assert!(eventually(|| runs(&mut town.launcher) == [1, 0]));
    let _ = villain.call_in(0, Row::FIRST, service::END, &[], &[(Kind::Row, gone.encode())]).data();
    for _ in 0..100 {
        villain.submit(gone);
        villain.submit(stays);
    }
    assert!(eventually(|| runs(&mut town.launcher)[1] > 0));
    assert_eq!(runs(&mut town.launcher)[0], 1);
    // Its place is free when it was given back, and what was submitted before is not for the next tenant.
    villain.submit(gone);
    villain.release(gone, 1);
    let next = context(&mut villain);
    assert_eq!((next.index, next.generation), (gone.index, gone.generation + 1));
    assert_eq!(runs(&mut villain)[2], 0);
    villain.submit(next);
    assert!(eventually(|| runs(&mut town.launcher)[2] == 1));
    assert!(villain.is_welcome());
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_23_what_was_submitted_before_the_producers_end_counts() {
    let mut town = town();
    for round in 1..=20 {
        let mut villain = town.villain();
        let row = context(&mut villain);
        // Announced or not, rung for or not: the end tells.
        let (word, bit) = wire::signal(row);
        villain.memory.set(word, bit);
        drop(villain);
        assert!(eventually(|| runs(&mut town.launcher).get(round - 1) == Some(&1)), "round {round}");
    }
    town.assert_unharmed();
}

#[test]
fn attack_23_what_was_submitted_before_its_row_is_given_back_counts_and_is_nobody_elses() {
    let mut town = town();
    let mut villain = town.villain();
    for round in 0..20 {
        // Another context in the same place each time, whose signal is announced by nothing but the release.
        let row = context(&mut villain);
        let (word, bit) = wire::signal(row);
        villain.memory.set(word, bit);
        villain.release(row, 1);
        assert!(eventually(|| runs(&mut town.launcher)[round] == 1), "round {round}");
        assert_eq!(villain.memory.load(word) & bit, 0);
    }
    assert_eq!(runs(&mut town.launcher), [1; 20]);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_5_signals_of_rows_that_are_not_held_run_nothing() {
    let mut town = town();
    // Somebody else's context, and objects of one's own.
    let mut honest = town.villain();
    let theirs = context(&mut honest);
    let mut villain = town.villain();
    for _ in 0..200 {
        let _ = villain.call(Row::FIRST, service::MINT, &[]).row();
    }
    for word in 0..wire::SIGNAL_WORDS {
        villain.memory.store(wire::SIGNALS + word, u64::MAX);
    }
    villain.announce(0xff << 34);
    assert!(villain.is_welcome());
    assert_eq!(runs(&mut town.launcher), [0]);
    honest.submit(theirs);
    assert!(eventually(|| runs(&mut town.launcher) == [1]));
    // A context can be passed on and not be called, under whatever name.
    let own = context(&mut villain);
    for row in [own, theirs, Row { index: wire::CONTEXTS, generation: 1 }, Row { index: !1, generation: 1 }] {
        assert_eq!(villain.call(row, service::ECHO, &[]).status(), Some(status::INVALID_CAPABILITY));
    }
    let kept = villain.call_in(0, Row::FIRST, service::KEEP, &[], &[(Kind::Row, own.encode())]);
    assert!(matches!(kept, Outcome::Reply { status: status::ANSWERED, .. }));
    let beyond = Row { index: own.index + 20_000, ..own };
    let refused = villain.call_in(0, Row::FIRST, service::KEEP, &[], &[(Kind::Row, beyond.encode())]);
    assert_eq!(refused.status(), Some(status::INVALID_CAPABILITY));
    let _ = villain.call(Row::FIRST, service::LET_GO, &[]);
    // More of its grants are given back than there were.
    villain.release(own, 2);
    assert!(villain.is_thrown_out());
    drop((villain, honest));
    town.assert_unharmed();
}

#[test]
fn a_client_holds_as_many_contexts_as_its_budget_says_and_each_has_its_signal() {
    const BUDGET: usize = 4_096;
    const BUDGET_EXCEEDED: u8 = 3;
    let mut town = town();
    let mut villain = town.villain();
    let rows: Vec<Row> = (0..BUDGET).map(|_| context(&mut villain)).collect();
    let refused = villain.call(Row::FIRST, service::CONTEXT, &[]);
    assert_eq!(refused.status(), Some(BUDGET_EXCEEDED));
    let _object = villain.call(Row::FIRST, service::MINT, &[]).row();
    // Those whose runs are told, and the last, whose signal lies in another group.
    for row in rows.iter().take(200).chain(rows.last()) {
        let (word, bit) = wire::signal(*row);
        villain.memory.set(word, bit);
    }
    villain.announce(0xff << 34);
    assert!(eventually(|| runs(&mut town.launcher) == [1; 200]));
    let (word, bit) = wire::signal(rows[BUDGET - 1]);
    assert!(eventually(|| villain.memory.load(word) & bit == 0));
    villain.release(rows[7], 1);
    assert_eq!(context(&mut villain).index, rows[7].index);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn a_portal_to_a_context_is_submitted_to_by_a_holder_who_is_gone_at_once() {
    let mut town = town();
    let mut giver = town.villain();
    let row = context(&mut giver);
    for round in 1..=20 {
        // All at once: its holder comes over, introduces itself, submits without ringing, and is gone.
        let portal = giver.open(row).expect("the system grants sockets");
        let holder = RawClient::come_over(&portal).expect("it introduces itself");
        holder.memory.set(wire::SIGNALS, 1);
        drop(holder);
        assert!(eventually(|| runs(&mut town.launcher)[0] >= round), "round {round}");
    }
    drop(giver);
    town.assert_unharmed();
}

/// What honest producers of this process get from a server that ends.
#[test]
fn a_submit_to_a_server_that_has_ended_is_a_no_op() -> Result<(), Error> {
    let pd = Pd::new()?;
    let mut command = Command::new(VICTIM);
    command.arg("serve");
    let (mut child, server) = pd.spawn(command)?;
    let ask = |opcode| -> Result<Capability, Error> {
        let (mut send, mut receive) = (portcullis_ipc::MsgBuf::new(), portcullis_ipc::MsgBuf::new());
        send.set_method(opcode, 0);
        server.call_with(&send, &mut receive, Deadline::After(Duration::from_secs(30)))?;
        Ok(receive.take(0).expect("it grants"))
    };
    let context = ask(service::CONTEXT)?;
    context.submit();
    child.kill()?;
    for _ in 0..10_000 {
        context.submit();
    }
    assert_eq!(ask(service::CONTEXT).map(drop), Err(Error::Disconnected));
    context.submit();
    Ok(())
}
