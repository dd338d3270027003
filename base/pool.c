/* pool.c - a thread pool that runs one counted loop at a time. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base.h"

#define THREADS_MAX 256u
/* How often a thread that has nothing to do looks for work before it sleeps: some 30 microseconds. A network's loops
 * follow each other within a few, and waking a thread that sleeps takes longer than many of them last. */
#define LOOKS 2000u

struct bst_pool {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned threads; /* the caller counts as thread 0 */
    unsigned looks;   /* 0 with more threads than processors: looking would keep one of them from its work */
    bool open;        /* workers may still join: one that wakes too late is not waited for */
    bool stop;
    atomic_uint running; /* workers in the current loop; changed under the lock, as round is */
    atomic_ullong round; /* number of the current loop */
    size_t count;
    atomic_size_t next;
    void (*task)(void *arg, size_t index, unsigned thread);
    void *arg;
    struct worker {
        struct bst_pool *pool;
        pthread_t id;
        unsigned thread;
    } * workers;
};

static void work(struct bst_pool *pool, unsigned thread)
{
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) return;
        pool->task(pool->arg, index, thread);
    }
}

static void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("isb");
#endif
}

/* Gives the next loop a moment to begin before the thread goes to sleep. Called without the lock. */
static void look_for_round(struct bst_pool *pool, uint64_t seen)
{
    for (unsigned i = 0; i < pool->looks && pool->round == seen; i++)
        pause_briefly();
}

static void look_for_end(struct bst_pool *pool)
{
    for (unsigned i = 0; i < pool->looks && pool->running > 0; i++)
        pause_briefly();
}

static void *worker_main(void *arg)
{
    struct worker *self = arg;
    struct bst_pool *pool = self->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while ((pool->round == seen || !pool->open) && !pool->stop)
            pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->stop) break;
        seen = pool->round;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        work(pool, self->thread);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
        look_for_round(pool, seen);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static unsigned usable_processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (unsigned)CPU_COUNT(&set);
#endif
    return 1;
}

enum bst_code bst_pool_new(unsigned threads, struct bst_pool **out, struct bst_error *err)
{
    *out = NULL;
    if (threads == 0) threads = usable_processors();
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    struct bst_pool *pool = bst_calloc(1, sizeof *pool);
    struct worker *workers = bst_calloc(threads, sizeof *workers);
    if (!pool || !workers) {
        free(pool);
        free(workers);
        return bst_fail_memory(err);
    }
    pool->workers = workers;
    pool->threads = 1;
    pool->looks = threads <= usable_processors() ? LOOKS : 0;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (unsigned i = 1; i < threads; i++) {
        workers[i] = (struct worker){.pool = pool, .thread = i};
        if (pthread_create(&workers[i].id, NULL, worker_main, &workers[i]) != 0) {
            bst_pool_free(pool);
            return bst_fail(err, BST_FAILURE, "cannot start thread %u of %u", i + 1, threads);
        }
        pool->threads = i + 1;
    }
    *out = pool;
    return BST_OK;
}

void bst_pool_free(struct bst_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i].id, NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->start);
    pthread_cond_destroy(&pool->done);
    free(pool->workers);
    free(pool);
}

unsigned bst_pool_threads(const struct bst_pool *pool)
{
    return pool ? pool->threads : 1;
}

void bst_pool_run(struct bst_pool *pool, size_t count, void (*task)(void *arg, size_t index, unsigned thread),
                  void *arg)
{
    if (!pool || pool->threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            task(arg, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->arg = arg;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->open = true;
    pool->round++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    work(pool, 0);
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    pthread_mutex_unlock(&pool->lock);
    look_for_end(pool);
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
