"""What must not change a drawing's keys and relations, for any drawing and any pose."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_kit import moved, plate, saved_again

from dedup2d.matching.canonical import canonical, canonical_shape
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import decode, encode, fingerprint
from dedup2d.report import Relation

seeds = st.integers(0, 10_000)
turns = st.floats(0, math.tau)
scales = st.sampled_from([1.0, 25.4, 1 / 25.4])
EXAMPLES = settings(max_examples=25, deadline=None, derandomize=True)


@EXAMPLES
@given(seeds, turns, st.floats(0.01, 100), st.booleans())
def test_no_pose_changes_the_signature(seed, turn, scale, mirrored):
    there = moved(plate(seed), turn=turn, scale=scale, mirrored=mirrored, shift=1e3 - 5e2j)
    gap = np.abs(fingerprint(there).signature - fingerprint(plate(seed)).signature)
    assert gap.max() < 1e-7


@EXAMPLES
@given(seeds, seeds)
def test_saving_again_leaves_signature_and_length(seed, how):
    once, again = fingerprint(plate(seed)), fingerprint(saved_again(plate(seed), how))
    assert np.abs(once.signature - again.signature).max() < 1e-4
    assert abs(once.shape.length / again.shape.length - 1) < 1e-4


@EXAMPLES
@given(seeds, seeds)
def test_the_quick_key_survives_another_order_and_splitting(seed, how):
    again = saved_again(plate(seed), how, noise=0.0)
    assert fingerprint(again).key == fingerprint(plate(seed)).key


@EXAMPLES
@given(seeds)
def test_the_canonical_form_of_a_canonical_form_is_itself(seed):
    once = canonical(saved_again(plate(seed), seed))
    twice = canonical_shape(once)
    assert twice.count == once.count
    assert abs(twice.length - once.length) <= 1e-12 * once.length


@EXAMPLES
@given(seeds, seeds, turns, scales)
def test_saved_again_in_any_pose_and_unit_is_the_same(seed, how, turn, scale):
    again = moved(saved_again(plate(seed), how), turn=turn, scale=scale, shift=700j)
    assert compare(fingerprint(again), fingerprint(plate(seed))).relation is Relation.SAME


@EXAMPLES
@given(seeds, seeds, turns)
def test_a_against_b_says_the_same_as_b_against_a(a, b, turn):
    one, two = fingerprint(plate(a)), fingerprint(moved(plate(b), turn=turn))
    there, back = compare(one, two), compare(two, one)
    turned_round = {Relation.CONTAINS: Relation.CONTAINED, Relation.CONTAINED: Relation.CONTAINS}
    assert back.relation is turned_round.get(there.relation, there.relation)
    assert back.similarity == there.similarity


@EXAMPLES
@given(seeds)
def test_a_stored_fingerprint_compares_as_the_fresh_one(seed):
    fresh = fingerprint(plate(seed))
    stored = decode(encode(fresh), fresh.signature, fresh.descriptor, fresh.sketch)
    other = fingerprint(saved_again(plate(seed), seed))
    assert compare(other, stored).changes == compare(other, fresh).changes
    assert stored.digest == fresh.digest
