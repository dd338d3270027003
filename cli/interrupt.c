/* interrupt.c - Ctrl-C asks work to stop at the next clean place; pressed twice, it ends the program. */
#include <signal.h>

#include "cli.h"

static volatile sig_atomic_t interrupted;

static void note(int number)
{
    (void)number;
    interrupted = 1;
}

void cli_interrupt_catch(void)
{
    /* SA_RESETHAND: the second signal finds the default action again. */
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}
