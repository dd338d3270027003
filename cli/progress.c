/* progress.c - a bar with the time left: on stderr, when that is a terminal, never in a log. */
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define BAR_WIDTH    30
#define BAR_PERIOD_S 0.1

void cli_progress_begin(struct cli_progress *progress, const char *label, const struct cli_args *args)
{
    double now = bst_monotonic_s();
    *progress = (struct cli_progress){.label = label,
                                      .shown = isatty(STDERR_FILENO) && !cli_has(args, "quiet"),
                                      .start = now,
                                      .last = now,
                                      .share = 1};
}

void cli_progress_piece(struct cli_progress *progress, uint64_t index, uint64_t count)
{
    progress->share = count ? 1.0 / (double)count : 1;
    progress->base = (double)index * progress->share;
}

/* "45s", "3m20s", "2h05m" */
static void duration(double seconds, char out[static 24])
{
    unsigned long s = seconds < 0 || seconds > 1e7 ? 0 : (unsigned long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, 24, "%lus", s);
    else if (s < 3600)
        snprintf(out, 24, "%lum%02lus", s / 60, s % 60);
    else
        snprintf(out, 24, "%luh%02lum", s / 3600, s / 60 % 60);
}

bool cli_progress_step(void *arg, uint64_t done, uint64_t total)
{
    struct cli_progress *progress = arg;
    double now = bst_monotonic_s();
    if (progress->shown && now - progress->last >= BAR_PERIOD_S) {
        progress->last = now;
        double part = progress->base + progress->share * (total ? (double)done / (double)total : 0);
        char bar[BAR_WIDTH + 1], left[24] = "";
        int full = (int)(part * BAR_WIDTH);
        for (int i = 0; i < BAR_WIDTH; i++)
            bar[i] = i < full ? '#' : '.';
        bar[BAR_WIDTH] = 0;
        if (part > 0.01) duration((now - progress->start) * (1 - part) / part, left);
        fprintf(stderr, "\r%s %s %3.0f%% %s%s\033[K", progress->label, bar, part * 100, left,
                *left ? " left" : "");
        fflush(stderr);
    }
    return !cli_interrupted();
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->shown) fputs("\r\033[K", stderr);
}
