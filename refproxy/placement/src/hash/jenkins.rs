//! Jenkins' lookup3 (`hashlittle`) with the start value 13, as twemproxy computes it.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_jenkins.c`.

const INIT: u32 = 13;

pub(super) fn jenkins(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32
        .wrapping_add(bytes.len() as u32)
        .wrapping_add(INIT);
    if bytes.is_empty() {
        return start;
    }
    // The last block has 1 to 12 bytes and is finished instead of mixed.
    let blocks = (bytes.len() - 1) / 12;
    let (whole, last) = bytes.split_at(blocks * 12);
    let mut state = [start; 3];
    for block in whole.as_chunks::<12>().0 {
        mix(add(&mut state, block));
    }
    let mut padded = [0; 12];
    padded[..last.len()].copy_from_slice(last);
    finish(add(&mut state, &padded))
}

fn add<'a>(state: &'a mut [u32; 3], block: &[u8; 12]) -> &'a mut [u32; 3] {
    for (sum, word) in state.iter_mut().zip(block.as_chunks::<4>().0) {
        *sum = sum.wrapping_add(u32::from_le_bytes(*word));
    }
    state
}

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// The steps of a mix: `x -= z; x ^= rotl(z, r); z += y`.
const MIX: [(usize, usize, usize, u32); 6] = [
    (A, C, B, 4),
    (B, A, C, 6),
    (C, B, A, 8),
    (A, C, B, 16),
    (B, A, C, 19),
    (C, B, A, 4),
];

/// The steps of the end: `x ^= z; x -= rotl(z, r)`.
const FINISH: [(usize, usize, u32); 7] = [
    (C, B, 14),
    (A, C, 11),
    (B, A, 25),
    (C, B, 16),
    (A, C, 4),
    (B, A, 14),
    (C, B, 24),
];

fn mix(state: &mut [u32; 3]) {
    for (x, z, y, turn) in MIX {
        state[x] = state[x].wrapping_sub(state[z]) ^ state[z].rotate_left(turn);
        state[z] = state[z].wrapping_add(state[y]);
    }
}

fn finish(state: &mut [u32; 3]) -> u32 {
    for (x, z, turn) in FINISH {
        state[x] = (state[x] ^ state[z]).wrapping_sub(state[z].rotate_left(turn));
    }
    state[C]
}
