/* open_fixture.h - one ledger for all tests of a program, or for each in its turn, which is open while they run. */
#ifndef OPEN_FIXTURE_H
#define OPEN_FIXTURE_H

#include "ledger_fixture.h"

static struct fixture fixture;
static struct bst_ledger *ledger;

/* For cmocka: what a setup made with fixture_new() and fixture_open(). */
static inline int open_teardown(void **state)
{
    (void)state;
    bst_ledger_close(ledger);
    fixture_free(&fixture);
    return 0;
}

#endif
