//! Long histories on one thread, as the simulator has them, against queues, counters and flags that anyone can check.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const CORES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Post { from: usize, to: usize },
    Receive { core: usize, part: bool },
    Reserve { from: usize, to: usize, count: u32 },
    Settle { from: usize, to: usize },
    Bells { core: usize },
    LoseBells { core: usize },
    Park { core: usize, lend: bool },
    Unpark { core: usize },
    Borrow { from: usize, to: usize },
    BorrowAll { core: usize },
    GiveBack { core: usize, ring: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let core = || 0..CORES;
    let two = || (0..CORES, 1..CORES).prop_map(|(from, distance)| (from, (from + distance) % CORES));
    let step = prop_oneof![
        6 => two().prop_map(|(from, to)| Step::Post { from, to }),
        3 => (core(), prop::bool::weighted(0.2)).prop_map(|(core, part)| Step::Receive { core, part }),
        1 => (two(), prop::sample::select(&[1, MAIL_CREDITS / 2, MAIL_CREDITS][..]))
            .prop_map(|((from, to), count)| Step::Reserve { from, to, count }),
        2 => two().prop_map(|(from, to)| Step::Settle { from, to }),
        3 => core().prop_map(|core| Step::Bells { core }),
        1 => core().prop_map(|core| Step::LoseBells { core }),
        4 => (core(), prop::bool::weighted(0.8)).prop_map(|(core, lend)| Step::Park { core, lend }),
        2 => core().prop_map(|core| Step::Unpark { core }),
        4 => two().prop_map(|(from, to)| Step::Borrow { from, to }),
        1 => core().prop_map(|core| Step::BorrowAll { core }),
        3 => (core(), any::<bool>()).prop_map(|(core, ring)| Step::GiveBack { core, ring }),
    ];
    prop::collection::vec(step, 1..400)
}

/// Where a shard is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Home,
    Parked,
    /// Lent to a core; whether the owner wants it back.
    With(usize, bool),
    /// Back in the lease, and wanted.
    Back,
}

/// Whether a core sleeps.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Sleep {
    Awake,
    Asleep { stalled: bool },
    Rung,
}

/// One core as the model sees it, beside the port that is tested and what a caller keeps.
struct Core {
    port: Port<u64, u64>,
    shard: Option<Box<u64>>,
    loans: Vec<Loan<u64>>,
    credits: [Vec<Credit>; CORES],
    sleep: Sleep,
    place: Place,
    /// Commands run on the shard.
    ran: u64,
    /// By peer: its posts that were not read yet, in order.
    mail: [VecDeque<u64>; CORES],
    /// By target: the last post was refused.
    stalled: [bool; CORES],
    told: [bool; CORES],
    relieved: [bool; CORES],
}

struct World {
    cores: Vec<Core>,
    posted: u64,
}

fn id(core: usize) -> CoreId {
    CoreId(core as u16)
}

impl World {
    fn new() -> Self {
        let cores = connect(CORES, LendingMode::Usual).into_iter().map(|port| Core {
            port,
            shard: Some(Box::new(0)),
            loans: Vec::new(),
            credits: Default::default(),
            sleep: Sleep::Awake,
            place: Place::Home,
            ran: 0,
            mail: Default::default(),
            stalled: [false; CORES],
            told: [false; CORES],
            relieved: [false; CORES],
        });
        Self { cores: cores.collect(), posted: 0 }
    }

    /// Steps of a sleeping core are skipped, except that it wakes.
    fn step(&mut self, step: Step) {
        let actor = match step {
            Step::Post { from, .. } | Step::Reserve { from, .. } | Step::Settle { from, .. } => from,
            Step::Borrow { from, .. } => from,
            Step::Receive { core, .. } | Step::Bells { core } | Step::LoseBells { core } => core,
            Step::Park { core, .. } | Step::Unpark { core } | Step::BorrowAll { core } => core,
            Step::GiveBack { core, .. } => core,
        };
        if (self.cores[actor].sleep == Sleep::Awake) == matches!(step, Step::Unpark { .. }) {
            return;
        }
        match step {
            Step::Post { from, to } => self.post(from, to),
            Step::Receive { core, part } => self.receive(core, part),
            Step::Reserve { from, to, count } => (0..count).for_each(|_| self.reserve(from, to)),
            Step::Settle { from, to } => {
                let Core { port, credits, .. } = &mut self.cores[from];
                credits[to].drain(..).for_each(|credit| port.settle(credit));
            }
            Step::Bells { core } => drop(self.bells(core)),
            Step::LoseBells { core } => {
                let lost = self.bells(core);
                for target in &lost {
                    self.cores[core].port.bell_lost(*target);
                }
                assert_eq!(self.rung(core), lost, "what was lost is rung again");
            }
            Step::Park { core, lend } => self.park(core, lend),
            Step::Unpark { core } => self.unpark(core),
            Step::Borrow { from, to } => self.borrow(from, to),
            Step::BorrowAll { core } => self.borrow_all(core),
            Step::GiveBack { core, ring } => self.give_back(core, ring),
        }
    }

    fn post(&mut self, from: usize, to: usize) {
        self.posted += 1;
        let fits = self.cores[to].mail[from].len() < MAIL_RING_BATCHES;
        assert_eq!(self.cores[from].port.post(id(to), Box::new(self.posted)).is_ok(), fits);
        self.cores[from].stalled[to] = !fits;
        if fits {
            self.cores[to].mail[from].push_back(self.posted);
            self.cores[from].told[to] = true;
        }
    }

    /// One round. Whatever the order of the peers, all that is there is read unless a batch is read in part.
    fn receive(&mut self, core: usize, part: bool) {
        let Core { port, mail, relieved, .. } = &mut self.cores[core];
        while let Some(batch) = port.receive() {
            let from = batch.from().index();
            assert_eq!(Some(&*batch), mail[from].front(), "mail of one pair arrives in order");
            if part {
                port.finish(batch, Progress::Part);
                continue;
            }
            mail[from].pop_front();
            relieved[from] = true;
            port.finish(batch, Progress::Whole);
        }
        assert!(part || mail.iter().all(VecDeque::is_empty));
    }

    fn reserve(&mut self, from: usize, to: usize) {
        let Core { port, credits, .. } = &mut self.cores[from];
        let credit = port.reserve(id(to));
        assert_eq!(credit.is_some(), credits[to].len() < MAIL_CREDITS as usize);
        credits[to].extend(credit);
    }

    fn rung(&mut self, core: usize) -> Vec<CoreId> {
        let mut rung = Vec::new();
        self.cores[core].port.bells(|target| rung.push(target));
        rung.sort();
        rung
    }

    fn bells(&mut self, core: usize) -> Vec<CoreId> {
        let rung = self.rung(core);
        let told = std::mem::take(&mut self.cores[core].told);
        let relieved = std::mem::take(&mut self.cores[core].relieved);
        let expected: Vec<_> = (0..CORES)
            .filter(|target| match self.cores[*target].sleep {
                Sleep::Asleep { stalled } => told[*target] || (relieved[*target] && stalled),
                Sleep::Awake | Sleep::Rung => false,
            })
            .map(id)
            .collect();
        assert_eq!(rung, expected);
        rung.iter().for_each(|target| self.cores[target.index()].sleep = Sleep::Rung);
        rung
    }

    fn park(&mut self, core: usize, lend: bool) {
        self.give_back(core, false);
        self.bells(core);
        let room =
            (0..CORES).any(|to| self.cores[core].stalled[to] && self.cores[to].mail[core].len() < MAIL_RING_BATCHES);
        let me = &mut self.cores[core];
        let stay = room || me.place == Place::Back || me.mail.iter().any(|mail| !mail.is_empty());
        let shard = if lend { me.shard.take() } else { None };
        let lent = shard.is_some();
        match me.port.park(shard) {
            Park::Parked => {
                assert!(!stay);
                me.sleep = Sleep::Asleep { stalled: me.stalled.contains(&true) };
                me.place = if lent { Place::Parked } else { me.place };
            }
            Park::StayAwake(shard) => {
                assert!(stay);
                assert_eq!(shard.is_some(), lent || me.place == Place::Back);
                self.take_home(core, shard);
            }
        }
    }

    fn unpark(&mut self, core: usize) {
        let me = &mut self.cores[core];
        me.sleep = Sleep::Awake;
        let shard = me.port.unpark();
        assert_eq!(shard.is_some(), matches!(me.place, Place::Parked | Place::Back));
        if let Place::With(borrower, _) = me.place {
            me.place = Place::With(borrower, true);
        }
        assert_eq!(me.port.awaits_shard(), matches!(me.place, Place::With(_, true)));
        self.take_home(core, shard);
    }

    fn take_home(&mut self, core: usize, shard: Option<Box<u64>>) {
        let me = &mut self.cores[core];
        if let Some(shard) = shard {
            assert_eq!(*shard, me.ran);
            me.shard = Some(shard);
            me.place = Place::Home;
        }
    }

    fn lends(&self, from: usize, to: usize) -> bool {
        self.cores[to].place == Place::Parked && self.cores[from].credits[to].is_empty()
    }

    fn borrow(&mut self, from: usize, to: usize) {
        let lends = self.lends(from, to);
        let loan = self.cores[from].port.borrow(id(to));
        assert_eq!(loan.is_some(), lends);
        loan.into_iter().for_each(|loan| self.lent(from, loan));
    }

    fn borrow_all(&mut self, core: usize) {
        let owners: Vec<_> = (1..CORES).map(|distance| (core + distance) % CORES).collect();
        let lend = owners.iter().all(|owner| self.lends(core, *owner));
        let ids: Vec<_> = owners.into_iter().map(id).collect();
        let mut loans = Vec::new();
        assert_eq!(self.cores[core].port.borrow_all(&ids, &mut loans), lend);
        loans.into_iter().for_each(|loan| self.lent(core, loan));
    }

    fn lent(&mut self, borrower: usize, mut loan: Loan<u64>) {
        let owner = &mut self.cores[loan.owner().index()];
        assert_eq!(*loan, owner.ran);
        *loan += 1;
        owner.ran += 1;
        owner.place = Place::With(borrower, false);
        self.cores[borrower].loans.push(loan);
    }

    fn give_back(&mut self, core: usize, ring: bool) {
        for loan in std::mem::take(&mut self.cores[core].loans) {
            let owner = loan.owner().index();
            let Place::With(_, wanted) = self.cores[owner].place else { unreachable!("it is lent") };
            self.cores[owner].place = if wanted { Place::Back } else { Place::Parked };
            self.cores[core].port.give_back(loan, ring);
            self.cores[core].told[owner] |= ring || wanted;
        }
    }
}

proptest! {
    #[test]
    fn mail_credits_bells_and_leases_follow_the_model(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        (0..CORES).for_each(|core| world.give_back(core, false));
    }
}
