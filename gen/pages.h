/* pages.h - large pieces of zeroed memory straight from the system, in huge pages where it has them: weights and
 * tensors are walked end to end, and translating their addresses would cost up to a third of the time. Private to
 * gen/.
 */
#ifndef BST_PAGES_H
#define BST_PAGES_H

#include <stddef.h>

/* Zeroed memory, aligned to 64 bytes at least; NULL when there is none. bytes > 0. */
void *pages_take(size_t bytes);
/* bytes as they were asked for; memory may be NULL. */
void pages_give(void *memory, size_t bytes);
/* Gives the system back the whole pages within a piece of any memory. What was in them is lost; the piece stays its
 * owner's to free. */
void pages_drop(void *memory, size_t bytes);
/* Not zeroed, and freed by free(): for what is handed out. NULL when there is none. */
void *pages_take_for_free(size_t bytes);

#endif
