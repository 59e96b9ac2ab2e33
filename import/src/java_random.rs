//! Pure: the pseudo-random numbers that Jenkins draws for `H`: MD5 of the name of the job seeds `java.util.Random`.

use md5::{Digest as _, Md5};

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

#[derive(Clone, Debug)]
pub(crate) struct JavaRandom(u64);

impl JavaRandom {
    /// The numbers of a job.
    pub(crate) fn of_job(name: &str) -> Self {
        let digest = Md5::digest(name.as_bytes());
        let (first, second) = digest.split_at(8);
        let seed = first.iter().zip(second).fold(0_u64, |seed, (a, b)| seed << 8 | u64::from(a ^ b));
        Self((seed ^ MULTIPLIER) & MASK)
    }

    fn next_31_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        self.0 >> (48 - 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let bound = u64::from(bound.max(1));
        if bound.is_power_of_two() {
            return u32::try_from((bound * self.next_31_bits()) >> 31).unwrap_or(0);
        }
        loop {
            let bits = self.next_31_bits();
            let value = bits % bound;
            if bits - value + (bound - 1) < 1 << 31 {
                return u32::try_from(value).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::JavaRandom;

    #[test]
    fn the_numbers_of_a_job_are_those_of_jenkins() {
        let mut random = JavaRandom::of_job("folder/job");
        assert_eq!((random.below(60), random.below(24)), (16, 15));
        assert_eq!(JavaRandom::of_job("folder/job").below(40), 36);
        assert_eq!(JavaRandom::of_job("folder/job").below(7), 1);
        assert!((0..1000).all(|_| random.below(8) < 8));
    }
}
